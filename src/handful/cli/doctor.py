from __future__ import annotations

from handful.cli.console import Json, put


def doctor(json: Json = False) -> None:
    """Tell what is installed, which kinds of data and devices work, and the command that mends what does not."""
    from handful.guide.installed import examine

    found = examine()
    if json:
        put([one.as_dict() for one in found])
        return
    for one in found:
        mend = f"; mend it with: {one.mend}" if one.mend else ""
        put(f"{'works' if one.works else 'lacks':6} {one.name:7} {one.words}{mend}")
