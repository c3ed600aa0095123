"""The web page in Chromium, by real clicks and keys, against a server of its own.

Every test also holds that nothing was asked of another address, and that no script failed or was refused by the page's
Content-Security-Policy.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from browser import CHROMIUM, chromium
from toy_model import PAIRS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")
playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
TRANSLATIONS = dict(PAIRS)
COFFEE, TEA = "I want coffee.", "We like tea."


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def both_ways(serve, toy_ct2_dir, tmp_path_factory):
    """The address of a server that also translates Chinese, badly: with the weights for English."""
    other = tmp_path_factory.mktemp("models") / "toy-zh-en"
    shutil.copytree(toy_ct2_dir, other)
    config = json.loads((other / "config.json").read_text(encoding="utf-8"))
    config |= {"directions": ["zh-en"], "source_tags": {"zh-en": None}}
    (other / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with serve([toy_ct2_dir, other]) as address:
        yield address


@contextmanager
def opened(browser, address, expected_errors=r"^$", **options) -> Iterator:
    """A page in a browser that has kept nothing, and what must hold of every page when the test is over."""
    context = browser.new_context(**{"locale": "en-GB", **options})
    context.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(address)
    expect(page.locator("#facts")).not_to_be_empty()  # the models are known
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((address, "blob:" + address))] == []
    assert [error for error in errors if not re.search(expected_errors, error)] == []


@pytest.fixture
def open_page(browser):
    return partial(opened, browser)


def output(page):
    return page.locator("#output")


def type_text(page, text):
    page.locator("#source").fill(text)


def test_text_is_translated_as_one_types(open_page, address):
    with open_page(address) as page:
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.keyboard.type(COFFEE, delay=20)  # the text has the focus from the start
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        assert len(requests) < len(COFFEE) / 2
        expect(page.locator("#count")).to_have_text(f"{len(COFFEE)} / 5,000")
        expect(page.locator("#time")).to_have_text(re.compile(r"^[\d.]+ ms$"))
        expect(page.locator("#facts")).to_contain_text("toy-ct2 · ")
        expect(page.locator("#announcer")).to_have_text(TRANSLATIONS[COFFEE])  # what a screen reader says
        page.locator("#clear").click()
        expect(output(page)).to_be_empty()
        expect(page.locator("#copy")).to_be_disabled()


def test_sentences_keep_the_lines_of_their_source(open_page, address):
    with open_page(address) as page:
        type_text(page, f"{COFFEE} {TEA}\n\n{COFFEE}")
        coffee, tea = TRANSLATIONS[COFFEE], TRANSLATIONS[TEA]
        expect(page.locator(".sentence")).to_have_count(3)
        assert output(page).inner_text() == f"{coffee}{tea}\n\n{coffee}"


def test_an_outdated_request_is_aborted(open_page, address):
    with open_page(address, r"ERR_FAILED|aborted") as page:
        waiting, gone = [], []
        page.on("requestfailed", lambda request: gone.append(request.post_data_json["text"]))
        page.route("**/api/translate/stream", lambda route: waiting.append(route))
        type_text(page, COFFEE)
        expect(page.locator("#working")).to_be_visible()
        page.unroute("**/api/translate/stream")
        type_text(page, TEA)
        expect(output(page)).to_have_text(TRANSLATIONS[TEA])
        assert gone == [COFFEE]


def test_nothing_is_asked_before_an_input_method_is_done(open_page, address):
    with open_page(address) as page:
        requests = []
        page.on("request", lambda request: requests.append(request.post_data_json["text"]))
        keyboard = page.context.new_cdp_session(page)
        page.locator("#source").focus()
        keyboard.send("Input.imeSetComposition", {"text": "ka'fei", "selectionStart": 6, "selectionEnd": 6})
        page.wait_for_timeout(400)
        assert requests == []
        keyboard.send("Input.insertText", {"text": COFFEE})
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        assert requests == [COFFEE]


def test_the_language_is_detected_and_languages_are_swapped(open_page, both_ways):
    with open_page(both_ways) as page:
        type_text(page, COFFEE)
        expect(page.locator("#auto-label")).to_have_text("English (detected)")
        expect(page.locator("#target-language")).to_have_text("Chinese")
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        page.locator("#swap").click()
        expect(page.locator("#source")).to_have_value(TRANSLATIONS[COFFEE])
        expect(page.get_by_role("radio", name="Chinese")).to_be_checked()
        expect(page.locator("#target-language")).to_have_text("English")
        expect(output(page)).to_have_attribute("lang", "en")
        page.locator(".chip").nth(0).click()
        expect(page.locator("#auto-label")).to_have_text("English (detected)")
        page.locator(".chip").nth(1).click()
        expect(page.locator("#auto-label")).to_have_text("Chinese (detected)")


def test_a_model_of_one_direction_offers_only_that(open_page, address):
    with open_page(address) as page:
        expect(page.get_by_role("radio", name="Chinese")).to_be_hidden()
        expect(page.locator("#swap")).to_be_disabled()
        expect(page.locator(".chip")).to_have_count(3)


def test_a_sentence_has_alternatives(open_page, address):
    with open_page(address) as page:
        type_text(page, f"{COFFEE} {TEA}")
        page.locator(".sentence").nth(1).click()
        choices = page.get_by_role("radiogroup", name=f"Other translations of “{TEA}”").get_by_role("radio")
        expect(choices.first).to_be_checked()
        other = page.locator("#alternatives label").nth(1)
        text = other.locator("span").first.inner_text()
        other.click()
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE] + text)


def test_alternatives_by_keyboard_alone(open_page, address):
    with open_page(address) as page:
        page.keyboard.type(f"{COFFEE} {TEA}")
        expect(page.locator(".sentence")).to_have_count(2)
        page.keyboard.press("Alt+a")
        expect(page.locator("#alternatives input").first).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(page.locator(".sentence").first).not_to_have_text(TRANSLATIONS[COFFEE])
        page.get_by_role("button", name="Next sentence").press("Enter")
        expect(page.locator("#alternatives-title")).to_contain_text(TEA)
        page.keyboard.press("Escape")
        expect(page.locator("#alternatives")).to_be_hidden()
        expect(page.locator("#open-alternatives")).to_be_focused()


def test_glossary_terms_are_sent_where_they_occur_and_kept(open_page, address):
    with open_page(address) as page:
        bodies = []
        page.on("request", lambda request: bodies.append(request.post_data_json) if request.post_data else None)
        page.keyboard.press("Alt+g")
        for text in ("Coffee", "Tab", "咖啡豆", "Enter"):
            page.keyboard.press(text) if text in ("Tab", "Enter") else page.keyboard.type(text)
        expect(page.locator("#glossary-terms li")).to_have_count(1)
        page.keyboard.press("Escape")
        page.reload()
        expect(page.locator("#glossary-count")).to_have_text("1")
        for text in (COFFEE, TEA):
            type_text(page, text)
            expect(output(page)).to_have_text(TRANSLATIONS[text])
            expect(page.locator("#announcer")).to_have_text(output(page).inner_text())
        assert [body["glossary"] for body in bodies] == [{"Coffee": "咖啡豆"}, {}]
        page.locator("#open-glossary").click()
        page.get_by_role("button", name="Remove Coffee").click()
        expect(page.locator("#glossary-empty")).to_be_visible()


def test_history_is_kept_in_the_browser_until_it_is_cleared(open_page, address):
    with open_page(address) as page:
        type_text(page, COFFEE)
        expect(page.locator("#history-entries li")).to_have_count(1)
        page.reload()
        page.locator("#open-history").click()
        page.get_by_role("button", name=f"Translate again: {COFFEE}").click()
        expect(page.locator("#source")).to_have_value(COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        page.keyboard.press("Alt+h")
        page.locator("#history-clear").click()
        expect(page.locator("#history-empty")).to_be_visible()
        assert page.evaluate("localStorage.getItem('history')") == "[]"


def test_the_translation_is_copied(open_page, address):
    with open_page(address, permissions=["clipboard-read", "clipboard-write"]) as page:
        type_text(page, COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        page.locator("#copy").click()
        expect(page.locator("#copy")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == TRANSLATIONS[COFFEE]


def test_a_file_is_translated_and_downloaded(open_page, address):
    with open_page(address) as page:
        content = f"{COFFEE}\n\n{TEA}\n".encode()
        page.locator("#file").set_input_files({"name": "menu.txt", "mimeType": "text/plain", "buffer": content})
        with page.expect_download() as download:
            page.locator("#file-download").click()
        assert download.value.suggested_filename == "menu.zh.txt"
        expected = f"{TRANSLATIONS[COFFEE]}\n\n{TRANSLATIONS[TEA]}\n"
        assert download.value.path().read_text(encoding="utf-8") == expected
        page.locator("#file").set_input_files({"name": "menu.exe", "mimeType": "text/plain", "buffer": content})
        expect(page.locator("#file-state")).to_contain_text("These are: .txt")


def test_errors_are_told_in_plain_words_and_tried_again(open_page, address):
    with open_page(address, "503|ERR_FAILED") as page:
        requests = []
        page.on("request", lambda request: requests.append(request))
        page.route("**/api/translate/stream", lambda route: route.abort())
        type_text(page, COFFEE)
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
        page.unroute("**/api/translate/stream")
        page.get_by_role("button", name="Try again").click()
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        expect(page.get_by_role("alert")).to_be_hidden()
        busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": '{"error": "full"}'}
        page.route("**/api/translate/stream", lambda route: route.fulfill(**busy), times=1)
        type_text(page, TEA)
        expect(page.get_by_role("alert")).to_contain_text("busy. Next try in 1 s")
        expect(output(page)).to_have_text(TRANSLATIONS[TEA])  # by itself, a second later
        requests.clear()
        type_text(page, "tea " * 1_300)
        expect(page.get_by_role("alert")).to_contain_text("200 characters over the limit of 5,000")
        assert requests == []


def test_an_answer_that_ends_early_is_no_translation(open_page, address):
    with open_page(address) as page:
        half = 'data: {"index": 0, "source_text": "I", "text": "我", "source": "en", "target": "zh", "warnings": []}\n\n'
        page.route(
            "**/api/translate/stream", lambda route: route.fulfill(body=half, content_type="text/event-stream")
        )
        type_text(page, COFFEE)
        expect(page.get_by_role("alert")).to_contain_text("ended before")
        expect(page.locator("#copy")).to_be_disabled()


def test_text_is_never_markup(open_page, address):
    with open_page(address) as page:
        markup = "<img src=x onerror=alert(1)><b>"
        data = {"index": 0, "source_text": markup, "text": markup, "source": "en", "target": "zh", "warnings": [markup]}
        done = 'event: done\ndata: {"milliseconds": 1, "model": "toy"}\n\n'
        body = f"data: {json.dumps(data)}\n\n{done}"
        page.route(
            "**/api/translate/stream", lambda route: route.fulfill(body=body, content_type="text/event-stream")
        )
        type_text(page, markup)
        expect(output(page)).to_have_text(markup)
        expect(page.locator("#warnings")).to_have_text(markup)
        expect(page.locator("#history-entries")).to_contain_text(markup)
        assert page.locator(".target-pane img, #history img").count() == 0


def test_a_key_is_asked_for_and_used(open_page, serve, toy_ct2_dir):
    with serve([toy_ct2_dir], keys=["secret"]) as address, open_page(address, "401|403") as page:
        type_text(page, COFFEE)
        expect(page.get_by_role("alert")).to_contain_text("asks for an API key")
        page.get_by_label("API key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Invalid API key")
        page.get_by_label("API key").fill("secret")
        page.keyboard.press("Enter")
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])


def test_the_interface_speaks_the_language_of_the_browser(open_page, address):
    with open_page(address, locale="zh-CN") as page:
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        expect(page.locator("#open-glossary")).to_contain_text("术语表")
        page.locator("#interface-language").click()
        expect(page.locator("#open-glossary")).to_contain_text("Glossary")
        page.reload()
        expect(page.locator("#open-glossary")).to_contain_text("Glossary")


BRIGHTNESS = "(getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0]) / 255"
# Of every piece of text on the page, those that stand out less than WCAG 2.2 asks for (1.4.3: 4.5 to 1).
FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = color.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const color = channels(getComputedStyle(element).backgroundColor);
    return color[3] === 255 || !element.parentElement ? color : behind(element.parentElement);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const isShown = (element) => element.checkVisibility({ opacityProperty: true }) && !element.closest(":disabled");
  return [...document.body.querySelectorAll("*")].filter((e) => hasText(e) && isShown(e)).map((element) => {
    const pair = [channels(getComputedStyle(element).color), behind(element)].map((c) => luminance(c.slice(0, 3)));
    return [(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), element.textContent.trim()];
  }).filter(([contrast]) => contrast < 4.5);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(open_page, address, theme):
    with open_page(address, color_scheme=theme) as page:
        assert (page.evaluate(BRIGHTNESS) > 0.5) == (theme == "light")
        type_text(page, COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        page.locator("#open-alternatives").click()
        expect(page.locator("#alternatives label")).not_to_have_count(0)
        assert page.evaluate(FAINT) == []
        page.locator("#open-keys").click()
        assert page.evaluate(FAINT) == []


def test_the_other_theme_can_be_chosen(open_page, address):
    with open_page(address, color_scheme="light") as page:
        for name in ("Theme: light", "Theme: dark"):
            page.locator("#theme").click()
            expect(page.locator("#theme")).to_have_accessible_name(name)
        page.reload()
        assert page.evaluate(BRIGHTNESS) < 0.5


def test_everything_is_reached_by_tab_and_has_a_name(open_page, address):
    with open_page(address) as page:
        type_text(page, COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        page.locator(".skip").focus()
        wanted = page.evaluate(
            "[...document.querySelectorAll('a, button, textarea, input')].filter((e) => e.checkVisibility() && !e.disabled"
            " && e.tabIndex >= 0 && (e.type !== 'radio' || e.checked)).length"
        )
        names = []
        for _ in range(wanted):
            focused = page.locator(":focus")
            names.append(focused.aria_snapshot())
            style = focused.evaluate("e => getComputedStyle(e).outlineStyle + getComputedStyle(e).boxShadow")
            assert style != "nonenone" or focused.get_attribute("type") == "radio", names[-1]
            page.keyboard.press("Tab")
        assert len(set(names)) == wanted, names
        assert all('"' in name for name in names), names  # `- button "Copy"`: a role and a name


def test_a_phone_shows_all_of_it(open_page, address):
    with open_page(address, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True) as page:
        type_text(page, COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert min(box["width"], box["height"]) >= 40, button.inner_text()
        source, target = page.locator("#source").bounding_box(), output(page).bounding_box()
        assert target["y"] >= source["y"] + source["height"]
