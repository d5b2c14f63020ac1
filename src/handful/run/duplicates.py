"""Items of a run that are nearly the same: a given label of one all but gives away the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from handful.data import Dataset
from handful.data.spreadsheet import read_csv, write_csv
from handful.modalities.registry import make_modality
from handful.run.folder import Run

_FILE = "near_duplicates.csv"
_NAMED = 3


def duplicates_step(run: Run, data: Dataset) -> None:
    """Write near_duplicates.csv (group, id) for a kind of data that can tell, unless it is there for this data."""
    if run.stands(_FILE) and run.record["near_duplicates"]["made_of"] == data.fingerprint:
        return
    find = getattr(make_modality(data.modality, data.settings), "near_duplicates", None)
    if find is None:
        return
    groups = find(data.samples)
    rows = np.concatenate([np.zeros(0, np.int64), *groups])
    number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    table = pa.table({"group": pa.array(number), "id": pa.array(data.ids[rows].tolist(), pa.string())})
    notes = [_in_words([data.ids[group].tolist() for group in groups])] if groups else []
    said = {"made_of": data.fingerprint, "groups": len(groups), "rows": len(rows), "notes": notes}
    with run.writing(_FILE, step="propagate", note={"near_duplicates": said}) as (file,):
        write_csv(table, file)


def near_duplicate_groups(run: Run) -> np.ndarray:
    """Return [N] the number of each item's group of near-duplicates, -1 for none."""
    ids = run.embeddings.ids.tolist()
    groups = np.full(len(ids), -1)
    if (run.folder / _FILE).is_file():
        run.require(run.folder / _FILE, "propagate")
        table = read_csv(str(run.folder / _FILE))
        number = {
            name: int(group) for name, group in zip(table["id"].to_pylist(), table["group"].to_pylist(), strict=True)
        }
        groups = np.array([number.get(name, -1) for name in ids])
    return groups


def _in_words(groups: list[list[str]]) -> str:
    count = sum(map(len, groups))
    named = "; ".join(", ".join(group[:_NAMED]) for group in groups[:_NAMED])
    return (
        f"{count} items are nearly the same as another, in {len(groups)} groups (for example {named}): all of them are "
        f"in {_FILE}, and a label of one all but gives away the others."
    )
