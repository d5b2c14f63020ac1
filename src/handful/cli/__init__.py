"""The command line: one short file a command, in the order of the path."""

from __future__ import annotations

import sys

import typer

from handful.cli.advise import advise
from handful.cli.anomalies import anomalies
from handful.cli.console import say
from handful.cli.demo import demo
from handful.cli.denoise import denoise
from handful.cli.doctor import doctor
from handful.cli.embed import embed
from handful.cli.evaluate import evaluate
from handful.cli.export import export, take_in
from handful.cli.fill import fill
from handful.cli.forecast import forecast
from handful.cli.label import label
from handful.cli.pretrain import pretrain
from handful.cli.propagate import propagate
from handful.cli.report import report
from handful.cli.review import review
from handful.cli.segment import segment
from handful.cli.similar import similar
from handful.cli.suggest import suggest
from handful.errors import InputError, WriteError

app = typer.Typer(
    name="handful",
    help="A handful of labels in, a label for everything out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        from handful import __version__

        typer.echo(__version__)
        raise typer.Exit


for command in (
    label,
    pretrain,
    embed,
    propagate,
    report,
    evaluate,
    suggest,
    review,
    export,
    similar,
    denoise,
    segment,
    fill,
    forecast,
    anomalies,
    advise,
    demo,
    doctor,
):
    app.command()(command)
app.command("import")(take_in)


def main() -> None:
    """Run the command line: exit 0 done, 1 failed, 2 bad input or usage, 130 interrupted."""
    try:
        app(standalone_mode=True)
    except InputError as error:
        say(f"handful: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("handful: interrupted; the same command goes on from here.")
        sys.exit(130)
    except WriteError as error:
        say(f"handful: {error}")
        sys.exit(1)
    except OSError as error:
        say(f"handful: {error.filename or 'the disk'}: {error.strerror or error}.")
        sys.exit(1)
