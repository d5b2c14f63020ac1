"""The step `read`: a source and labels in, a Dataset out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handful.data.cache import cache_folder
from handful.data.dataset import Dataset, Decoded, Refusal
from handful.data.digests import fingerprint
from handful.data.items import Progress
from handful.data.label_files import check_labels, labels_name, read_labels
from handful.data.labels import Labels
from handful.data.remote import local_path
from handful.data.sources import Source, Wanted, open_source
from handful.errors import InputError, check_choice, did_you_mean
from handful.modalities.audio_files import is_audio_file
from handful.modalities.audio_reading import holds_audio, open_audio, read_audio
from handful.modalities.image_files import is_image_file
from handful.modalities.image_reading import prepare_images, read_images
from handful.modalities.series_reading import read_series
from handful.modalities.series_tables import holds_series, is_series_file, open_series
from handful.modalities.table_reading import open_table, read_rows
from handful.modalities.table_sources import holds_table, is_table_file
from handful.modalities.text_files import is_text_file
from handful.modalities.text_reading import read_texts
from handful.modalities.text_tables import COLUMNS as TEXT_COLUMNS
from handful.modalities.text_tables import holds_texts, open_texts
from handful.modalities.video_files import is_video_file
from handful.modalities.video_reading import holds_videos, open_videos, read_clips


@dataclass(frozen=True)
class Reader:
    """How one kind of data is read.

    is_item_file: tells from a file's name and first bytes whether it is meant to be an item.
    prepare: makes what a person may put in a list readable.
    decode: returns the decoded items of a source.
    columns: the names that a column of items usually has.
    settings: the names that `decode` takes beside the source, the cache and progress.
    open: finds the items of a source; opening_settings: the names of those settings that it takes as well.
    recognises: tells whether a source is clearly of this kind, from names and types.
    """

    is_item_file: Callable[[Path], bool]
    prepare: Callable[[Any], Any]
    decode: Callable[..., Decoded]
    columns: tuple[str, ...]
    settings: tuple[str, ...]
    open: Callable[..., Source] = open_source
    opening_settings: tuple[str, ...] = ()
    recognises: Callable[[Any], bool] = lambda source: False


READERS = {
    "image": Reader(
        is_image_file,
        prepare_images,
        read_images,
        columns=("image", "img", "image_path"),
        settings=("size", "channels", "fit", "layout", "value_range"),
    ),
    "audio": Reader(
        is_audio_file,
        lambda source: source,
        read_audio,
        columns=("audio", "sound", "wav", "audio_path"),
        settings=("rate", "seconds", "window", "stride"),
        open=open_audio,
        opening_settings=("window", "stride"),
        recognises=holds_audio,
    ),
    "series": Reader(
        is_series_file,
        lambda source: source,
        read_series,
        columns=("series", "values"),
        settings=("window", "stride"),
        open=open_series,
        opening_settings=("window", "stride"),
        recognises=holds_series,
    ),
    "text": Reader(
        is_text_file,
        lambda source: source,
        read_texts,
        columns=TEXT_COLUMNS,
        settings=("encoding", "markup"),
        open=open_texts,
        opening_settings=("encoding",),
        recognises=holds_texts,
    ),
    "video": Reader(
        is_video_file,
        lambda source: source,
        read_clips,
        columns=(),
        settings=("size", "channels", "window", "every", "stride"),
        open=open_videos,
        opening_settings=("size", "channels", "window", "every", "stride"),
        recognises=holds_videos,
    ),
    "table": Reader(
        is_table_file,
        lambda source: source,
        read_rows,
        columns=(),
        settings=("columns",),
        open=open_table,
        opening_settings=("columns",),
        recognises=holds_table,
    ),
}


def read(
    source: Any,
    labels: Any = None,
    modality: str | None = None,
    *,
    label_column: str | None = None,
    column: str | None = None,
    size: int | None = None,
    strict: bool = False,
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Dataset:
    """Return what `source` holds as a Dataset, every item decoded once into a memory-mapped cache.

    source: a folder (any depth), a .npy, .npz or IDX file, a folder or prefix of IDX files ("fashion-mnist/train"), a
        Parquet or CSV file with a column of paths or of encoded bytes, a list of paths, bytes, Pillow images or arrays,
        or an array. Of texts: a folder of documents, a CSV, TSV, JSON lines or Parquet file with a column of texts, any
        other text file (one document a line), a data frame or a list of strings. Of rows: a CSV, TSV, Parquet or Arrow
        file, a data frame, or an array [rows, columns]. Of clips: a folder of videos, one video, or an array
        (n, t, c, h, w). Of sounds: a folder of wav, flac, ogg or mp3. Of series: .ts files, arrays, a table with `id`,
        `time` and channels, a folder of such tables.
    labels: None for none, even where the source carries some: a source all of whose rows are labelled leaves nothing to
        find. "folders": the name of the folder that a file lies in is its class, none at the top or in "unlabelled".
        "source": what the source carries (the labels file beside an IDX file, `y` in a .npz, the column `label` of a
        table, a folder's metadata.csv, else its sub-folders). A CSV or Parquet file with columns `id` and `label`, a
        mapping id -> label, or one label a row.
    modality: the kind of data; None finds it.
    label_column: the column of the labels, in the labels file if one is given, else in the source.
    column: the column of a table, or the array of a .npz file, that holds the items; None finds it.
    size: of images: pixels of a side; None takes the median shorter side, at most 64.
    strict: raise where an item cannot be decoded; else it is left out and named in `refused`.
    cache: the cache folder; None takes HANDFUL_CACHE, else ~/.cache/handful.
    progress: called with what is being done, how many are done and of how many.
    settings: of images: `channels`, `fit`, `layout`, `value_range`; see `handful.modalities.image_reading`. Of
        texts: `encoding`, `markup`; see `handful.modalities.text_reading`. Of tables: `columns`; see `table_reading`.
        Of videos: `window`, `every`, `stride`, `channels`; see `video_reading`. Of sounds: `rate`, `seconds`, of sounds
        and series `window`, `stride`; see `audio_reading`, `series_tables`.
    Raises InputError where the source, the labels or the settings cannot be used.
    """
    source = local_path(source, cache_folder(cache), progress) if isinstance(source, str | os.PathLike) else source
    modality = modality or find_modality(source)
    check_choice("modality", modality, READERS)
    reader = READERS[modality]
    _check_names(settings, reader)
    folder = cache_folder(cache)
    wanted = Wanted(modality, reader.is_item_file, reader.columns, column, label_column)
    opening = {name: value for name, value in {"size": size, **settings}.items() if name in reader.opening_settings}
    found = reader.open(reader.prepare(source), wanted, cache=folder, **opening)
    given = read_labels(labels, found, label_column=label_column, cache=folder)
    if given is not None:
        check_labels(given, labels_name(labels, found))
    decoded = reader.decode(found, cache=folder, progress=progress, size=size, **settings)
    refused = _refusals(found, decoded, given)
    if strict and refused:
        raise InputError(
            f"{len(refused)} of the {len(found.ids)} items of {found.name} cannot be read: {refused[0].id} "
            f"{refused[0].reason}; without strict the others are read."
        )
    return _dataset(modality, found, decoded, given, refused, labels)


def find_modality(source: Any) -> str:
    """Return the kind of data that `source` clearly is, images where none is clear."""
    return next((name for name, reader in READERS.items() if reader.recognises(source)), "image")


def _dataset(
    modality: str, found: Source, decoded: Decoded, given: Labels | None, refused: list[Refusal], labels: Any
) -> Dataset:
    ids = found.ids[decoded.rows]
    if given is not None and refused:
        given = encode_kept(given, decoded.rows)
        check_labels(given, labels_name(labels, found))
    return Dataset(
        modality=modality,
        ids=ids,
        samples=decoded.samples,
        digests=decoded.digests,
        fingerprint=fingerprint({"modality": modality, **decoded.settings}, ids, decoded.digests),
        labels=given,
        settings=decoded.settings,
        refused=refused,
        source=found.name,
    )


def encode_kept(labels: Labels, rows: np.ndarray) -> Labels:
    """Return the labels of `rows`, without classes that none of them has."""
    kept = labels.take(rows)
    used, codes = np.unique(kept.codes[kept.given], return_inverse=True)
    renumbered = np.full(len(rows), -1, dtype=np.int32)
    renumbered[kept.given] = codes
    return Labels(labels.classes[used], renumbered)


def _refusals(found: Source, decoded: Decoded, given: Labels | None) -> list[Refusal]:
    """Return what was left out, in order; where it had a label, that it was not used is said."""
    refused = []
    for row in sorted(decoded.refused):
        unused = ""
        if given is not None and given.given[row]:
            unused = f" (its label {given.classes[given.codes[row]].item()!r} is not used)"
        refused.append(Refusal(str(found.ids[row]), decoded.refused[row] + unused))
    return refused


def _check_names(settings: dict[str, Any], reader: Reader) -> None:
    for name in settings:
        if name not in reader.settings:
            raise InputError(
                f"{name!r} is not a setting of read: choose from {', '.join(reader.settings)}."
                f"{did_you_mean(name, reader.settings)}"
            )
