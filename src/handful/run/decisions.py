"""What people decided in the review, as given labels of the run's data."""

from __future__ import annotations

import numpy as np

from handful.data import Dataset, encode_labels
from handful.run.folder import Run
from handful.run.journal import reviewed_labels


def with_decisions(run: Run, data: Dataset) -> tuple[Dataset, np.ndarray]:
    """Return `data` with the labels that people decided on in the place of those given, and [N] which rows these are.

    Raises InputError where the decided labels and the given ones are not of one kind.
    """
    decided = reviewed_labels(run.folder)
    reviewed = np.array([name in decided for name in data.ids.tolist()], dtype=bool)
    if not reviewed.any():
        return data, reviewed
    given = [None] * len(data) if data.labels is None else data.labels.decode(data.labels.codes).tolist()
    values = [decided.get(name, label) for name, label in zip(data.ids.tolist(), given, strict=True)]
    return data.with_labels(encode_labels(values)), reviewed
