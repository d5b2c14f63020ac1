from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from handful.cli.console import Json, put, say

if TYPE_CHECKING:
    from handful.training.encoder import Encoder


def forecast(
    run: str,
    clip: Annotated[str | None, typer.Argument(help="A video to go on from; with --out.")] = None,
    steps: Annotated[int, typer.Option(help="How many steps ahead.")] = 24,
    level: Annotated[float, typer.Option(help="The chance that a value lies between low and high.")] = 0.9,
    source: Annotated[str | None, typer.Option(help="Go on from these series instead of those of RUN.")] = None,
    out: Annotated[str | None, typer.Option("--out", help="Where the next frames of a video are written.")] = None,
    json: Json = False,
) -> None:
    """Print what comes after each series of RUN: id, step, channel, value and an interval.

    Of videos: write the next frames of CLIP to --out, and a video of true frames, guessed ones and their difference.
    """
    from handful.data.remote import check_local
    from handful.run.folder import open_run
    from handful.run.path import read_again
    from handful.tasks.forecast import find_forecaster, find_last
    from handful.tasks.forecast import forecast as look_ahead

    check_local(out, "the video")
    opened = open_run(run)
    encoder = opened.encoder
    if encoder.modality.name == "video":
        write_next_frames(encoder, clip or source, out, steps, json=json)
        return
    find_forecaster(encoder)
    known = read_again(opened)
    cut = {name: known.settings[name] for name in ("window", "stride") if name in known.settings}
    data = known if source is None else encoder.read(source, **cut)
    rows = find_last(data.ids)
    if len(rows) < len(data):
        say("Of each recording that was cut into windows, what comes after its last one is told.")
    found = look_ahead(encoder, data, rows=rows, steps=steps, level=level, known=None if source is None else known)
    for note in found.notes:
        say(note)
    lines = [
        {
            "id": str(name),
            "step": step + 1,
            "channel": channel,
            **{
                word: _number(getattr(found, name_of)[row, step, channel])
                for word, name_of in (("value", "values"), ("low", "low"), ("high", "high"))
            },
        }
        for row, name in enumerate(found.ids)
        for step in range(steps)
        for channel in range(found.values.shape[2])
    ]
    put(lines if json else _as_csv(lines))


def write_next_frames(encoder: Encoder, clip: str | None, out: str | None, steps: int, *, json: bool) -> None:
    """Write the next frames of a video and what the network got wrong; say how far off it is beside a plain copy."""
    from handful.errors import InputError
    from handful.modalities.video_files import check_writable
    from handful.tasks.next_frames import next_frames, write_next

    if clip is None or out is None:
        raise InputError("next frames need a video and a place: handful forecast RUN CLIP.mp4 --out next.mp4.")
    check_writable(out)
    found = next_frames(encoder, encoder.read(clip), steps=steps)
    say(
        f"The last {len(found.truth)} frames guessed from those before: mean squared error {found.error:.0f} a pixel, "
        f"copying the frame before them {found.copy_error:.0f}."
    )
    frames, error = map(str, write_next(found, out))
    told = {"frames": frames, "error": error, "squared_error": found.error, "squared_error_of_copy": found.copy_error}
    put(told if json else f"{frames}\n{error}")


def _number(value: float) -> float | None:
    """Return a value with six digits, None where there is none."""
    return None if value != value else float(f"{value:.6g}")


def _as_csv(rows: Sequence[Mapping[str, object]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().rstrip("\n")
