"""The review page in a real headless browser, before the real server on a small real run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from desks import copy_run

pytest.importorskip("playwright.sync_api", reason="the page's tests need playwright: pip install playwright")
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("the page's tests need Chromium: apt-get install chromium", allow_module_level=True)

SERVE = """
import sys
from handful.reviewing.serve import review
review(sys.argv[1], browser=False, told=lambda links: print(*links.values(), flush=True))
"""
SERVE_SOURCE = """
import sys, time
from pathlib import Path
from handful.reviewing.serve import review_source
from handful.run.folder import open_run
def make(watch):
    watch.stage("linking 60 items to their 5 nearest neighbours")
    while not Path(sys.argv[2]).exists():
        time.sleep(0.05)
    return open_run(sys.argv[1])
review_source("photos", make, browser=False, told=lambda links: print(*links.values(), flush=True))
"""
MARKUP = "<img src=x onerror=\"document.title='broken into'\">"
WAIT = 90_000  # milliseconds; a busy machine compiles kernels for the first answer and the first map


@pytest.fixture(scope="module")
def address(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server of a copy of the run listens, for all tests of this file."""
    run = copy_run(made, tmp_path_factory.mktemp("page") / "run")
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(run.folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(30)
        if server.stdout is not None:
            server.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, opened; it must ask nothing of any other origin and break no rule of its content policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    opened = context.new_page()
    opened.set_default_timeout(WAIT)
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(address)
    expect(opened.get_by_role("region", name="Item", exact=True)).to_be_visible(timeout=WAIT)
    until(opened, "performance.getEntriesByName('handful:painted').length > 0")
    yield opened
    context.close()
    origin = urlsplit(address)
    assert len(asked) > 5
    assert {urlsplit(url)[:2] for url in asked if not url.startswith(("data:", "blob:"))} == {origin[:2]}
    assert said == []


def until(page: Page, condition: str) -> None:
    """Wait until a condition of the page holds; its content policy forbids the driver's own way of waiting."""
    end = time.monotonic() + WAIT / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {WAIT} ms: {condition}"
        page.wait_for_timeout(30)


def call(page: Page, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what the server answers to a call from the page."""
    answer: dict[str, Any] = page.evaluate(
        """async ([method, path, body]) => {
            const headers = { "Content-Type": "application/json" };
            const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
            return await reply.json();
        }""",
        [method, path, body],
    )
    return answer


def label_two_classes(page: Page) -> None:
    """See to it that "across" and "down" are classes with two items each."""
    for row in range(6):
        if row % 3 != 2:
            body = {"rows": [row], "action": "label", "label": ("across", "down")[row % 3]}
            call(page, "POST", "/api/classes", {"name": body["label"]})
            call(page, "POST", "/api/decisions", body)
    expect(page.locator(".classes")).to_contain_text("down")


def item_shown(page: Page) -> int:
    """Return the row whose item is on screen."""
    row: int = page.evaluate("performance.getEntriesByName('handful:shown').at(-1)?.detail ?? -1")
    return row


def decisions(page: Page) -> list[dict[str, Any]]:
    """Return the last ten decisions, the latest first, as the server has them."""
    found: list[dict[str, Any]] = call(page, "GET", "/api/decisions?n=10")["decisions"]
    return found


def press_and_wait(page: Page, key: str) -> None:
    """Press a key that decides and wait until the server has the decision."""
    with page.expect_response(lambda reply: reply.url.endswith("/api/decisions") and reply.request.method == "POST"):
        page.keyboard.press(key)


def test_a_class_is_made_by_typing_and_then_has_a_key(page: Page) -> None:
    until(page, "performance.getEntriesByName('handful:shown').length > 0")
    first = item_shown(page)
    page.keyboard.press("c")
    page.keyboard.type("across")
    press_and_wait(page, "Enter")
    until(page, f"performance.getEntriesByName('handful:shown').at(-1).detail !== {first}")
    second = item_shown(page)
    press_and_wait(page, "1")
    made = decisions(page)[:2]
    assert [(one["rows"], one["label"]) for one in made] == [([second], "across"), ([first], "across")]
    expect(page.get_by_role("region", name="Last decisions")).to_contain_text(f"item {second + 1}")


def test_backspace_takes_back_and_shows_the_item_again(page: Page) -> None:
    label_two_classes(page)
    row = item_shown(page)
    press_and_wait(page, "2")
    with page.expect_response("**/api/undo"):
        page.keyboard.press("Backspace")
    until(page, f"performance.getEntriesByName('handful:shown').at(-1).detail === {row}")
    assert decisions(page)[0]["undone"]
    assert decisions(page)[0]["rows"] == [row]


def test_a_decision_is_changed_where_it_stands(page: Page) -> None:
    label_two_classes(page)
    press_and_wait(page, "1")
    row = decisions(page)[0]["rows"][0]
    recent = page.get_by_role("region", name="Last decisions").get_by_role("listitem")
    recent.first.hover()
    recent.first.get_by_role("button", name="Change across").click()
    with page.expect_response(lambda reply: reply.request.method == "PATCH"):
        page.get_by_role("combobox", name=f"New label of item {row + 1}").select_option("down")
    expect(recent.first).to_contain_text("down")


def test_what_is_found_is_decided_on_at_once(page: Page) -> None:
    label_two_classes(page)
    page.keyboard.press("/")
    page.keyboard.type("05")
    page.get_by_role("button", name="Select all").click()
    expect(page.get_by_role("region", name="Selection")).to_contain_text("11 items")  # 005 and 050 to 059
    press_and_wait(page, "2")
    assert sorted(decisions(page)[0]["rows"]) == [5, *range(50, 60)]
    assert decisions(page)[0]["label"] == "down"


def test_a_lasso_selects_the_items_inside(page: Page) -> None:
    page.keyboard.press("g")
    page.wait_for_timeout(300)  # the map takes its new size
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    corners = [(4, 4), (box["width"] - 4, 4), (box["width"] - 4, box["height"] - 4), (4, box["height"] - 4)]
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    selection = page.get_by_role("region", name="Selection")
    expect(selection).to_contain_text("60 items")
    page.keyboard.press("Escape")
    expect(selection).to_have_count(0)


def test_markup_in_a_class_name_is_shown_and_never_run(page: Page) -> None:
    page.keyboard.press("c")
    page.keyboard.type(MARKUP)
    press_and_wait(page, "Enter")
    expect(page.get_by_role("region", name="Last decisions")).to_contain_text("<img src=x")
    expect(page.locator(".classes")).to_contain_text("<img src=x")
    assert page.locator("img[src='x']").count() == 0
    assert page.title() != "broken into"
    with page.expect_response("**/api/undo"):
        page.keyboard.press("Backspace")


def test_all_is_reached_without_a_mouse(page: Page) -> None:
    label_two_classes(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    row = item_shown(page)
    page.keyboard.press("j")
    until(page, f"performance.getEntriesByName('handful:shown').at(-1).detail !== {row}")
    page.keyboard.press("k")
    until(page, f"performance.getEntriesByName('handful:shown').at(-1).detail === {row}")
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('section, header')?.ariaLabel ?? ''"))
        if page.evaluate("document.activeElement.getAttribute('role')") == "application":
            break
    assert {"Queue", "Last decisions", "Item", "Map of all items"} <= reached
    page.keyboard.press("+")
    page.keyboard.press("Enter")  # the item in the middle, if one is near
    press_and_wait(page, " ")
    assert decisions(page)[0]["action"] == "skip"


def test_whatever_can_be_used_has_a_name(page: Page) -> None:
    label_two_classes(page)
    page.keyboard.press("g")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, section, [role=application], [role=dialog]")]
            .filter(one => !(one.ariaLabel || one.innerText?.trim() || one.labels?.length || one.title))
            .map(one => one.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    assert page.locator("button").count() > 20
    assert page.locator("html").get_attribute("lang") == "en"
    said = page.get_by_role("status").all_inner_texts()
    assert any(words.startswith("Item ") for words in said)


def test_dark_is_taken_from_the_machine_and_a_choice_is_kept(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1024, "height": 700}, color_scheme="dark")
    opened = context.new_page()
    opened.goto(address)
    expect(opened.locator("html")).to_have_attribute("data-theme", "dark")
    opened.get_by_role("button", name="Light").click()
    opened.reload()
    expect(opened.locator("html")).to_have_attribute("data-theme", "light")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 1024
    context.close()


def test_the_page_waits_while_the_run_is_made_and_goes_on_by_itself(
    browser: Browser, made: Path, tmp_path: Path
) -> None:
    run = copy_run(made, tmp_path / "run")
    words = [sys.executable, "-c", SERVE_SOURCE, str(run.folder), str(tmp_path / "go")]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        assert server.stdout is not None
        opened = context.new_page()
        opened.goto(server.stdout.readline().strip())
        making = opened.get_by_role("region", name="Learning")
        expect(making).to_contain_text("Linking 60 items to their 5 nearest neighbours", timeout=WAIT)
        expect(opened.get_by_role("region", name="Item", exact=True)).to_be_hidden()
        opened.keyboard.press("a")  # nothing to decide yet
        (tmp_path / "go").touch()
        expect(opened.get_by_role("region", name="Item", exact=True)).to_be_visible(timeout=WAIT)
        expect(making).to_have_count(0)
        until(opened, "performance.getEntriesByName('handful:painted').length > 0")
        assert decisions(opened) == []
    finally:
        context.close()
        server.terminate()
        server.communicate(timeout=60)
