"""The report in Chromium, opened from the disk: its switches, sorting and search by real clicks."""

import pytest

from toy_report import PAIRS, write_report

browser_module = pytest.importorskip("browser", reason="no playwright here")
pytestmark = pytest.mark.skipif(browser_module.CHROMIUM is None, reason="no Chromium here (Debian: chromium)")


@pytest.fixture(scope="module")
def browser():
    with browser_module.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path)
    return path.as_uri()


@pytest.fixture
def page(browser, address):
    """The report; afterwards no script has failed and nothing was asked of the net."""
    context = browser.new_context(locale="en-GB", color_scheme="light")
    context.set_default_timeout(30_000)  # a busy machine
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    assert page.evaluate("window.attacked") is None
    context.close()
    assert [url for url in asked if url != address and not url.startswith("data:")] == []
    assert errors == []


def systems(page):
    return page.eval_on_selector_all("#scores tbody tr", "rows => rows.map(row => row.dataset.system)")


def test_the_table_sorts_and_shows_differences(page):
    assert systems(page) == ["<i>expert</i>", "ours", "theirs"]
    page.click("th[data-column=bleu] button")
    page.click("th[data-column=bleu] button")
    assert systems(page) == ["theirs", "ours", "<i>expert</i>"]
    assert page.get_attribute("th[data-column=bleu]", "aria-sort") == "ascending"
    page.click("th[data-column=system] button")
    assert systems(page) == ["<i>expert</i>", "ours", "theirs"]
    page.select_option("#other", "theirs")
    page.check("#differences")
    cell = page.locator("tr[data-system=ours] td").nth(1)
    assert cell.inner_text().startswith("+") and "p " in cell.inner_text()
    assert page.locator("tr[data-system=theirs] td").nth(1).inner_text() == "—"


def test_sentences_are_searched_sorted_and_marked(page):
    page.select_option("#other", "<i>expert</i>")
    items = page.locator("#sentences li")
    assert items.count() == 3
    assert "15.20" in "".join(page.locator("#sentences ins").all_inner_texts())
    assert "12.50" in "".join(page.locator("#sentences del").all_inner_texts())
    page.click("#lists [data-list=worst]")
    assert items.count() == len(PAIRS)
    page.select_option("#order", "row")
    assert items.first.locator("dd").first.inner_text() == PAIRS[0][0]
    page.fill("#search", "LATTE")
    assert items.count() == 1
    page.fill("#search", "onerror")  # shown as text
    assert "<img src=x" in items.first.inner_text()
    page.fill("#search", "nowhere")
    assert items.all_inner_texts() == ["Nothing was found."]


def test_slices_and_faults_open_their_sentences(page):
    page.select_option("#system", "theirs")
    assert page.locator("tr[data-row='fault copied'] td").nth(1).inner_text() == "1"
    page.click("tr[data-row='fault copied']")
    assert "车站在哪里？" in page.inner_text("#faults .opened")
    page.click("tr[data-row='fault copied']")
    assert page.locator("#faults .opened").count() == 0
    page.focus("tr[data-row='slice coffee']")
    page.keyboard.press("Enter")
    assert "latte" in page.inner_text("#slices .opened")


def test_language_theme_and_test_set_are_switched(page):
    assert page.inner_text("#verdict").startswith("ours translates notices")
    page.click("#language")
    assert page.inner_text("#verdict").startswith("ours 在 notices")
    assert page.inner_text("#slices h2") == "切片"
    assert page.inner_text("th[data-column=kept]") == "数字保留"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.select_option("#task", "1")
    assert "short" in page.inner_text("#verdict")
    assert page.locator(".pictures:visible").count() == 1


def test_a_phone_scrolls_down_only(page):
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
