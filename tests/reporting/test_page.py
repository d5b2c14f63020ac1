"""The page asks for nothing outside itself, believes nothing it is told, and shows the numbers of the arrays."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contents import colour_pictures, made_content

from handful.data import Refusal
from handful.propagation.calibrate import Estimate
from handful.reporting import write_page
from handful.reporting.content import LabelIssue
from handful.reporting.figures import class_counts
from handful.reporting.page import render

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\"><script>document.body.dataset.hacked=1"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def words(page: str) -> str:
    """Return what a person reads: the page without scripts, styles and tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare)))


def opened(path: Path) -> tuple[str, str]:
    """Return the page as Chromium has it after its scripts ran, and what the console said."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed: the page is not opened in a browser")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--log-level=0"]
    command += ["--virtual-time-budget=20000", "--window-size=1200,900", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(console)


def test_page_names_no_address_outside_itself() -> None:
    page = render(made_content(truth=True, pictures=colour_pictures))
    assert not re.findall(r"(?:src|href|action|poster|srcset)\s*=\s*[\"'](?!data:|#)", page)
    assert not re.findall(r"url\(|@import|https?://|fetch\(|XMLHttpRequest|WebSocket|sendBeacon", page)
    assert "default-src 'none'" in page


def test_page_opens_without_an_error_and_its_map_shows_the_counts(tmp_path: Path) -> None:
    content = made_content(truth=True, pictures=colour_pictures)
    dom, console = opened(write_page(content, tmp_path / "report.html"))
    assert console == ""
    assert '<div class="atlas" id="atlas">' in dom
    shown = dict(re.findall(r'<span class="label" title="([^"]+)">[^<]*</span><span class="n">([\d,]+)</span>', dom))
    counted = {count.name: str(count.total) for count in class_counts(content)}
    assert shown == counted | {"no label": "3"}


def test_hostile_names_stay_text_in_a_browser(tmp_path: Path) -> None:
    content = made_content(classes=3, title=HOSTILE, notes=[HOSTILE], settings={HOSTILE: HOSTILE}, command=HOSTILE)
    ids = content.ids.astype(object)
    ids[:] = [f"{HOSTILE}{row}" for row in range(len(ids))]
    content = replace(content, ids=ids, classes=[HOSTILE, "b", "c"], rule=HOSTILE, health=HOSTILE, show=None)
    content = replace(content, refused=[Refusal(HOSTILE, HOSTILE)], label_issues=[LabelIssue(1, HOSTILE)])
    dom, console = opened(write_page(content, tmp_path / "report.html"))
    assert console == ""
    assert "data-hacked" not in re.sub(r"<script.*?</script>", "", dom, flags=re.S).split("<main>")[0]
    assert dom.count("<script") == 2
    assert '<div class="atlas" id="atlas">' in dom


def test_hostile_names_are_escaped_in_the_source() -> None:
    content = made_content(classes=2, title=HOSTILE, notes=[HOSTILE])
    page = render(replace(content, classes=[HOSTILE, "b"]))
    assert HOSTILE not in page
    assert page.count("</script>") == 2
    assert html.escape(HOSTILE).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page


def test_script_that_the_policy_allows_is_the_one_inside() -> None:
    page = render(made_content())
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.S)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_first_sentence_tells_the_result() -> None:
    page = words(render(made_content(accuracy=Estimate(0.72, 0.68, 0.76))))
    assert "4 labels were given, and 193 more items of 200 got a label from them." in page
    assert "About 72% of them should be right: between 68% and 76%, nine times out of ten." in page


def test_counts_in_the_table_are_those_of_the_arrays() -> None:
    content = made_content()
    page = words(render(content))
    for index, name in enumerate(content.classes):
        mine = content.labels == index
        propagated = mine & (content.source == "propagated")
        mean = content.confidence[propagated].mean()
        assert f"{name} {mine.sum()} 1 {propagated.sum()} {mean:.1%}" in page


def test_accuracy_and_calibration_error_count_no_given_row() -> None:
    content = made_content(truth=True)
    assert content.truth is not None
    given = content.source == "given"
    lied = replace(content, truth=np.where(given, (content.truth + 1) % 4, content.truth))
    scored = content.source == "propagated"
    accuracy = (content.labels == content.truth)[scored].mean()
    for told in (content, lied):
        page = words(render(told))
        assert f"Compared with the truth, {accuracy:.1%} are." in page
        assert f"Counted over the {scored.sum()} propagated labels whose truth is known." in page
    without = words(render(made_content()))
    assert "Expected calibration error" not in without
    assert "Compared with the truth" not in without


def test_words_that_carry_a_class_are_shown_beside_it() -> None:
    page = words(render(made_content(class_words={"class 1": ["rain", "<b>"]})))
    assert "The words that carry each class" in page
    assert "class 1 rain, <b>" in page
    assert "carry each class" not in words(render(made_content()))


def test_unreached_withheld_and_refused_items_are_said() -> None:
    content = made_content(refused=[Refusal("a/broken.jpg", "is cut short"), Refusal("b.jpg", "is empty")])
    labels = content.labels.copy()
    labels[20:25] = -1
    page = words(render(replace(content, labels=labels)))
    assert "5 labels were too unsure and left to people." in page
    assert "3 items have no label: no path of neighbours leads to them from a labelled item." in page
    assert "2 items were left out on reading." in page
    assert "a/broken.jpg is cut short" in page
    assert "1 × is empty" in page


def test_nothing_refused_and_nothing_unreached_is_said_too() -> None:
    content = made_content()
    labels = np.maximum(content.labels, 0)
    whole = replace(content, labels=labels, reached=labels >= 0, source=np.where(labels < 9, "propagated", ""))
    page = words(render(whole))
    assert "Nothing: every item could be read." in page
    assert "no path of neighbours" not in page


def test_training_shows_its_curves_and_its_verdict() -> None:
    curves = [{"epoch": 1, "Loss": 5.0, "Rank": 10.0}, {"epoch": 2, "Loss": 4.25, "Rank": 31.0}]
    content = made_content(curves=curves, references={"raw input": {"Rank": 20.0}}, health="Collapsed: rank 3 of 256.")
    page = render(content)
    assert "Collapsed: rank 3 of 256." in page
    assert "Loss 4.25 after epoch 2" in page
    assert page.count('class="reference"') == 1
    assert "no encoder was trained" in words(render(made_content()))


def test_settings_are_listed_flat_and_the_command_is_shown() -> None:
    settings = {"graph": {"n_neighbors": 10, "exact": True}}
    page = words(render(made_content(settings=settings, command="handful label x")))
    assert "graph.n_neighbors 10" in page
    assert "graph.exact yes" in page
    assert "handful label x" in page


def test_label_issues_name_the_class_the_data_speak_for() -> None:
    page = words(render(made_content(label_issues=[LabelIssue(2, "class 1")])))
    assert "1 given label that the rest of the data contradicts." in page
    assert "the data say class 1" in page


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": 150, "rows": 2000, "truth": True},
        {"rows": 5, "classes": 2, "show": None, "neighbours": None, "runner_up": None, "margin": None},
        {"source": np.full(200, "", dtype=object), "labels": np.full(200, -1), "reached": np.zeros(200, bool)},
    ],
    ids=["150 classes", "five bare rows", "nothing reached"],
)
def test_page_of_an_odd_content_opens(tmp_path: Path, changes: dict[str, object]) -> None:
    dom, console = opened(write_page(made_content(**changes), tmp_path / "report.html"))  # type: ignore[arg-type]
    assert console == ""
    assert '<div class="atlas" id="atlas">' in dom


def test_page_of_many_items_stays_below_ten_megabytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 3, 32, 32), dtype=np.uint8)
    content = made_content(120_000, 100, truth=True, pictures=lambda rows: noise[rows % 64])
    content = replace(content, show=lambda rows: [f'<img src="data:,{"x" * 20_000}">' for _ in rows])
    path = write_page(content, tmp_path / "report.html")
    assert path.stat().st_size < 10_000_000
    page = words(path.read_text())
    assert "The map draws 100,000 of the 120,000 items" in page
    assert re.search(r"carries the pictures of [\d,]+ items", page)


def test_file_names_that_are_no_unicode_are_written(tmp_path: Path) -> None:
    content = made_content()
    ids = content.ids.astype(object)
    ids[0] = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    assert "caf?.png" in write_page(replace(content, ids=ids), tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_failed_page_leaves_the_earlier_one(tmp_path: Path) -> None:
    path = write_page(made_content(), tmp_path / "report.html")
    before = path.read_bytes()

    def fail(rows: np.ndarray) -> list[str]:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_page(made_content(show=fail), path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]
