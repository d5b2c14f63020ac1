"""The Python of every page of docs/ runs as it stands, the blocks of a page one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "```python" in path.read_text())
NEEDS = {"sounds": "soundfile", "masked": "tokenizers"}


def test_every_family_has_a_page_and_most_pages_run() -> None:
    from handful.methods import FAMILIES

    assert {*FAMILIES, "which-family"} <= {path.stem for path in PAGES}
    assert len(PAGES) >= 12


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem])
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(block, str(page), "exec"), names)


def test_pages_name_only_files_that_are_there() -> None:
    found = {name for page in DOCS.rglob("*.md") for name in re.findall(r"`(?:examples/)?(\w+\.py)`", page.read_text())}
    assert len(found) >= 10
    assert not [name for name in found if not (DOCS.parent / "examples" / name).is_file()]


def test_links_lead_to_a_file_and_a_heading_that_are_there() -> None:
    root = DOCS.parent
    links = [
        (page, *link)
        for page in [*DOCS.rglob("*.md"), *root.glob("*.md"), *(root / "benchmarks").glob("*.md")]
        for link in re.findall(r"\]\(([\w./-]+)(?:#([\w-]+))?\)", page.read_text())
    ]
    assert len(links) >= 30
    assert not [(page.name, path) for page, path, _ in links if not (page.parent / path).exists()]
    anchored = [(page.parent / path, anchor) for page, path, anchor in links if anchor]
    assert not [(path.name, anchor) for path, anchor in anchored if anchor not in anchors(path)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings as the hosts of Markdown write them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
