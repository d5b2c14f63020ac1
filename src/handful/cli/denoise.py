from __future__ import annotations

from typing import Annotated

import typer

from handful.cli.console import put, say, watch

EncoderRun = Annotated[str, typer.Option("--run", help="The run folder whose encoder was trained with 'denoising'.")]
Folder = Annotated[str, typer.Option("--out", help="The folder for the copies, each under its item's id.")]


def denoise(source: str, run: EncoderRun, out: Folder) -> None:
    """Write a clean copy of everything in SOURCE, from an encoder that was trained with the method denoising."""
    from handful.data.remote import check_local
    from handful.run.folder import open_run
    from handful.tasks.denoise import find_restorer, write_clean

    check_local(out, "the folder of the copies")
    encoder = open_run(run).encoder
    find_restorer(encoder)
    data = encoder.read(source)
    written = write_clean(encoder, data, out, progress=watch().rows)
    say(f"{len(written)} clean copies, as large as the encoder reads them.")
    put(out)
