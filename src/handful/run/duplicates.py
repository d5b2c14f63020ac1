"""Items of a run that are nearly the same: a given label of one all but gives away the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from handful.data import Dataset
from handful.files import replace_file
from handful.modalities.registry import make_modality
from handful.run.folder import Run

_FILE = "near_duplicates.csv"
_NAMED = 3


def duplicates_step(run: Run, data: Dataset) -> None:
    """Write near_duplicates.csv (group, id) for a kind of data that can tell, unless it is there for this data."""
    if run.record.get("near_duplicates", {}).get("made_of") == data.fingerprint:
        return
    find = getattr(make_modality(data.modality, data.settings), "near_duplicates", None)
    if find is None:
        return
    groups = find(data.samples)
    rows = np.concatenate([np.zeros(0, np.int64), *groups])
    number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    table = pa.table({"group": pa.array(number), "id": pa.array(data.ids[rows].tolist(), pa.string())})
    with replace_file(run.folder / _FILE) as temporary:
        pacsv.write_csv(table, temporary)
    notes = [_in_words([data.ids[group].tolist() for group in groups])] if groups else []
    run.note(near_duplicates={"made_of": data.fingerprint, "groups": len(groups), "rows": len(rows), "notes": notes})


def near_duplicate_groups(run: Run) -> np.ndarray:
    """Return [N] the number of each item's group of near-duplicates, -1 for none."""
    ids = run.embeddings.ids.tolist()
    groups = np.full(len(ids), -1)
    if (run.folder / _FILE).is_file():
        table = pacsv.read_csv(
            run.folder / _FILE, convert_options=pacsv.ConvertOptions(column_types={"id": pa.string()})
        )
        number = dict(zip(table["id"].to_pylist(), table["group"].to_pylist(), strict=True))
        groups = np.array([number.get(name, -1) for name in ids])
    return groups


def _in_words(groups: list[list[str]]) -> str:
    count = sum(map(len, groups))
    named = "; ".join(", ".join(group[:_NAMED]) for group in groups[:_NAMED])
    return (
        f"{count} items are nearly the same as another, in {len(groups)} groups (for example {named}): all of them are "
        f"in {_FILE}, and a label of one all but gives away the others."
    )
