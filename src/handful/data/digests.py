"""Short digests of contents, which tell what is new when a source has grown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

DIGITS = 20
"""80 bits: among 10 million items the chance that any two share a digest is below 1e-10."""


def digest(*parts: bytes | np.ndarray) -> str:
    """Return the first 20 hexadecimal digits of the SHA-256 of `parts`, one after the other.

    Processors compute it in hardware: 1.4 to 2 times as fast here as BLAKE2b, on rows of 784 and of 12,288 bytes.
    """
    state = hashlib.sha256()
    for part in parts:
        state.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else part)
    return state.hexdigest()[:DIGITS]


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes, read a piece at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]


def digest_content(content: bytes | np.ndarray) -> str:
    """Return the digest of one item; of an array its type and shape count too."""
    return digest(_kind(content), content) if isinstance(content, np.ndarray) else digest(content)


def digest_rows(block: np.ndarray) -> list[str]:
    """Return the digest of each row of `block` [B, ...]."""
    block = np.ascontiguousarray(block)
    kind = _kind(block[0])
    return [digest(kind, row) for row in block]


def fingerprint(settings: Any, *columns: Sequence[str] | np.ndarray) -> str:
    """Return a digest of JSON-able `settings` and of columns of strings, in order."""
    state = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for column in columns:
        texts = np.asarray(column)
        for start in range(0, len(texts), 65536):  # as JSON, in which no two columns read the same
            state.update(json.dumps(texts[start : start + 65536].tolist()).encode())
        state.update(b";")
    return state.hexdigest()[:DIGITS]


def _kind(array: np.ndarray) -> bytes:
    return f"{array.dtype.str}{array.shape}".encode()
