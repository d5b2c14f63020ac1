"""A data set as every later step sees it: ids, samples and the labels that were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from handful.data.labels import Labels


class Samples(Protocol):
    """N samples, read by rows: never all of them at once. A memory-mapped array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any) -> Any: ...


class Listed(list[Any]):
    """Samples in a list."""

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            return list.__getitem__(self, int(rows))
        return [list.__getitem__(self, int(row)) for row in np.arange(len(self))[rows]]


@dataclass(frozen=True)
class Refusal:
    """One item that was left out on reading, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """What was read.

    modality: the name of the kind of data ("image", ...).
    ids: [N] strings, unique: the path relative to the source, or the row's id.
    samples: the N samples, decoded, read by rows.
    digests: [N] strings, a digest of each sample's content: tells what is new when a source has grown.
    fingerprint: a digest of ids, contents and the settings they were read with.
    labels: the given labels, or None.
    settings: how samples were read (image size, channels, ...): JSON values; an encoder keeps them.
    refused: what was left out, and why.
    source: where it came from, in words.
    """

    modality: str
    ids: np.ndarray
    samples: Samples
    digests: np.ndarray
    fingerprint: str
    labels: Labels | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    refused: Sequence[Refusal] = ()
    source: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def with_labels(self, labels: Labels | None) -> Dataset:
        """Return the same data with other labels."""
        return replace(self, labels=labels)


@dataclass(frozen=True)
class Decoded:
    """What a kind of data made of a source's items: the kept rows, decoded.

    samples: [M] samples, decoded.
    rows: [M] which rows of the source they are, ascending.
    digests: [M] strings.
    settings: how they were read: JSON values.
    refused: row -> reason, of the others.
    """

    samples: Samples
    rows: np.ndarray
    digests: np.ndarray
    settings: Mapping[str, Any]
    refused: Mapping[int, str] = field(default_factory=dict)
