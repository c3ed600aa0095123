"""The web page in Chromium, by real clicks and keys, against a server of its own.

Every test also holds that nothing was asked of another address, and that no script failed or was refused by the page's
Content-Security-Policy.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from browser import CHROMIUM, chromium
from toy_model import PAIRS
from toy_server import serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")
TRANSLATIONS = dict(PAIRS)
COFFEE, TEA = "I want coffee.", "We like tea."


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def both_ways(toy_ct2_dir, tmp_path_factory):
    """The address of a server that also translates Chinese, badly: with the weights for English."""
    other = tmp_path_factory.mktemp("models") / "toy-zh-en"
    shutil.copytree(toy_ct2_dir, other)
    config = json.loads((other / "config.json").read_text(encoding="utf-8"))
    config |= {"directions": ["zh-en"], "source_tags": {"zh-en": None}}
    (other / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with serving([toy_ct2_dir, other]) as address:
        yield address


class Tab:
    """A page, what it has asked for since it was opened, and what went wrong in it."""

    def __init__(self, context) -> None:
        self.page = context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)

    @contextmanager
    def opened(self, address, expected_errors=r"^$", color_scheme="light", width=1280) -> Iterator:
        """The page of a server in a browser that has kept nothing; then what must hold of every page."""
        self.requests.clear()
        self.errors.clear()
        self.page.emulate_media(color_scheme=color_scheme, reduced_motion="reduce")
        self.page.set_viewport_size({"width": width, "height": 740})
        self.page.goto(address)
        expect(self.page.locator("#facts")).not_to_be_empty()  # the models are known
        yield self.page
        self.page.unroute_all()
        self.page.evaluate("localStorage.clear()")
        urls = [request.url for request in self.requests]
        assert [url for url in urls if not url.startswith((address, "blob:" + address))] == []
        assert [error for error in self.errors if not re.search(expected_errors, error)] == []

    def bodies(self) -> list[dict]:
        """Of the translations asked for."""
        return [request.post_data_json for request in self.requests if request.url.endswith("/api/translate/stream")]


@pytest.fixture(scope="module")
def tab(browser):
    """One for all tests: another costs a second of a processor."""
    expect.set_options(timeout=30_000)
    with browser.new_context(locale="en-GB", permissions=["clipboard-read", "clipboard-write"]) as context:
        yield Tab(context)


def output(page):
    return page.locator("#output")


def type_text(page, text):
    page.locator("#source").fill(text)


def events(source_text, text, warnings=()):
    """What the server would answer."""
    event = {
        "index": 0,
        "source_text": source_text,
        "text": text,
        "warnings": warnings,
        "source": "en",
        "target": "zh",
    }
    return f'data: {json.dumps(event)}\n\nevent: done\ndata: {{"milliseconds": 1, "model": "toy"}}\n\n'


def answering(body):
    return lambda route: route.fulfill(body=body, content_type="text/event-stream")


def test_text_is_translated_as_one_types(tab, address):
    with tab.opened(address) as page:
        page.keyboard.type(COFFEE, delay=20)  # the text has the focus from the start
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        assert len(tab.bodies()) < len(COFFEE) / 2
        expect(page.locator("#count")).to_have_text(f"{len(COFFEE)} / 5,000")
        expect(page.locator("#time")).to_have_text(re.compile(r"^[\d.]+ ms$"))
        expect(page.locator("#facts")).to_contain_text("toy-ct2 · ")
        expect(page.locator("#announcer")).to_have_text(TRANSLATIONS[COFFEE])  # what a screen reader says
        page.locator("#copy").click()
        expect(page.locator("#copy")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == TRANSLATIONS[COFFEE]
        page.locator("#clear").click()
        expect(output(page)).to_be_empty()
        expect(page.locator("#copy")).to_be_disabled()


def test_sentences_keep_the_lines_of_their_source(tab, address):
    with tab.opened(address) as page:
        type_text(page, f"{COFFEE} {TEA}\n\n{COFFEE}")
        coffee, tea = TRANSLATIONS[COFFEE], TRANSLATIONS[TEA]
        expect(page.locator(".sentence")).to_have_count(3)
        assert output(page).inner_text() == f"{coffee}{tea}\n\n{coffee}"


def test_nothing_is_asked_before_an_input_method_is_done(tab, address):
    with tab.opened(address) as page:
        keyboard = page.context.new_cdp_session(page)
        page.locator("#source").focus()
        keyboard.send("Input.imeSetComposition", {"text": "ka'fei", "selectionStart": 6, "selectionEnd": 6})
        page.wait_for_timeout(400)
        assert tab.bodies() == []
        keyboard.send("Input.insertText", {"text": COFFEE})
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        assert [body["text"] for body in tab.bodies()] == [COFFEE]


def test_the_language_is_detected_and_languages_are_swapped(tab, both_ways):
    with tab.opened(both_ways) as page:
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


def test_a_sentence_has_alternatives(tab, address):
    with tab.opened(address) as page:
        type_text(page, f"{COFFEE} {TEA}")
        page.locator(".sentence").nth(1).click()
        choices = page.get_by_role("radiogroup", name=f"Other translations of “{TEA}”").get_by_role("radio")
        expect(choices.first).to_be_checked()
        other = page.locator("#alternatives label").nth(1)
        text = other.locator("span").first.inner_text()
        other.click()
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE] + text)


def test_alternatives_by_keyboard_alone(tab, address):
    with tab.opened(address) as page:
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


def test_glossary_terms_are_sent_where_they_occur_and_kept(tab, address):
    with tab.opened(address) as page:
        page.keyboard.press("Alt+g")
        for text in ("Coffee", "Tab", "咖啡豆", "Enter"):
            page.keyboard.press(text) if text in ("Tab", "Enter") else page.keyboard.type(text)
        expect(page.locator("#glossary-terms li")).to_have_count(1)
        page.keyboard.press("Escape")
        page.reload()
        expect(page.locator("#glossary-count")).to_have_text("1")
        for text, translation in ((COFFEE, "咖啡豆"), (TEA, TRANSLATIONS[TEA])):
            type_text(page, text)
            expect(output(page)).to_contain_text(translation)
        assert [body["glossary"] for body in tab.bodies()] == [{"Coffee": "咖啡豆"}, {}]
        page.locator("#open-glossary").click()
        page.get_by_role("button", name="Remove Coffee").click()
        expect(page.locator("#glossary-empty")).to_be_visible()


def test_history_is_kept_in_the_browser_until_it_is_cleared(tab, address):
    with tab.opened(address) as page:
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


def test_a_file_is_translated_and_downloaded(tab, address):
    with tab.opened(address) as page:
        page.evaluate("""() => {
          const keep = (changes) => shares.push(...changes.map((change) => Number(change.oldValue)));
          window.shares = [];
          const bar = document.getElementById("file-progress");
          new MutationObserver(keep).observe(bar, { attributeFilter: ["value"], attributeOldValue: true });
        }""")
        content = (f"{COFFEE}\n\n{TEA}\n" * 50).encode()
        page.locator("#file").set_input_files({"name": "menu.txt", "mimeType": "text/plain", "buffer": content})
        with page.expect_download() as download:
            page.locator("#file-download").click()
        assert download.value.suggested_filename == "menu.zh.txt"
        expected = f"{TRANSLATIONS[COFFEE]}\n\n{TRANSLATIONS[TEA]}\n" * 50
        assert download.value.path().read_text(encoding="utf-8") == expected
        assert page.evaluate("shares.some((share) => 0 < share && share < 1)")
        page.locator("#file").set_input_files({"name": "menu.exe", "mimeType": "text/plain", "buffer": content})
        expect(page.locator("#file-state")).to_contain_text("These are: .txt")


def test_errors_are_told_in_plain_words_and_tried_again(tab, address):
    with tab.opened(address, "503|ERR_FAILED") as page:
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
        tab.requests.clear()
        type_text(page, "tea " * 1_300)
        expect(page.get_by_role("alert")).to_contain_text("200 characters over the limit of 5,000")
        assert tab.requests == []


def test_only_a_whole_answer_to_this_text_is_shown_and_as_text(tab, address):
    with tab.opened(address) as page:
        waiting = []
        page.route("**/api/translate/stream", lambda route: waiting.append(route), times=1)
        type_text(page, COFFEE)
        expect(page.locator("#working")).to_be_visible()
        type_text(page, TEA)
        expect(output(page)).to_have_text(TRANSLATIONS[TEA])
        late = events(COFFEE, TRANSLATIONS[COFFEE])
        waiting[0].fulfill(body=late, content_type="text/event-stream")
        page.wait_for_timeout(300)
        expect(output(page)).to_have_text(TRANSLATIONS[TEA])

        half = late.split("event: done")[0]
        page.route("**/api/translate/stream", answering(half), times=1)
        type_text(page, COFFEE)
        expect(page.get_by_role("alert")).to_contain_text("ended before")
        expect(page.locator("#copy")).to_be_disabled()

        markup = "<img src=x onerror=alert(1)><b>"
        page.route("**/api/translate/stream", answering(events(markup, markup, [markup])), times=1)
        type_text(page, markup)
        expect(output(page)).to_have_text(markup)
        expect(page.locator("#warnings")).to_have_text(markup)
        expect(page.locator("#history-entries")).to_contain_text(markup)
        assert page.locator(".target-pane img, #history img").count() == 0


def test_a_key_is_asked_for_and_used(tab, toy_ct2_dir):
    with serving([toy_ct2_dir], keys=["secret"]) as address, tab.opened(address, "401|403") as page:
        type_text(page, COFFEE)
        expect(page.get_by_role("alert")).to_contain_text("asks for an API key")
        page.get_by_label("API key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Invalid API key")
        page.get_by_label("API key").fill("secret")
        page.keyboard.press("Enter")
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])


def test_the_interface_speaks_the_language_of_the_browser(browser, address):
    with browser.new_context(locale="zh-CN") as context, Tab(context).opened(address) as page:
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
def test_both_themes_can_be_read(tab, address, theme):
    with tab.opened(address, color_scheme=theme) as page:
        assert (page.evaluate(BRIGHTNESS) > 0.5) == (theme == "light")
        type_text(page, COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        page.locator("#open-alternatives").click()
        expect(page.locator("#alternatives label")).not_to_have_count(0)
        assert page.evaluate(FAINT) == []
        page.locator("#open-keys").click()
        assert page.evaluate(FAINT) == []
        page.keyboard.press("Escape")
        for name in ("Theme: light", "Theme: dark"):
            page.locator("#theme").click()
            expect(page.locator("#theme")).to_have_accessible_name(name)
        page.reload()
        assert page.evaluate(BRIGHTNESS) < 0.5


def test_everything_is_reached_by_tab_and_has_a_name(tab, address):
    with tab.opened(address) as page:
        type_text(page, COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        page.locator(".skip").focus()
        wanted = page.evaluate(
            """[...document.querySelectorAll("a, button, textarea, input")].filter((e) => e.checkVisibility()
              && !e.disabled && e.tabIndex >= 0 && (e.type !== "radio" || e.checked)).length"""
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


def test_a_phone_shows_all_and_a_model_of_one_direction_only_that(tab, address):
    with tab.opened(address, width=360) as page:
        type_text(page, COFFEE)
        expect(output(page)).to_have_text(TRANSLATIONS[COFFEE])
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert min(box["width"], box["height"]) >= 40, button.inner_text()
        source, target = page.locator("#source").bounding_box(), output(page).bounding_box()
        assert target["y"] >= source["y"] + source["height"]

        expect(page.get_by_role("radio", name="Chinese")).to_be_hidden()
        expect(page.locator("#swap")).to_be_hidden()
        expect(page.locator(".target-language")).to_have_text("Into Chinese")
        expect(page.locator(".chip")).to_have_count(3)
