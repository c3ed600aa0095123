"""Pictures of the web page for its documentation: light, dark, and on a phone.

    uv run python tests/page_pictures.py outputs/quickstart/ct2-int8

Needs Chromium, and fonts for both languages (Debian: apt-get install chromium fonts-inter fonts-noto-cjk).
"""

import argparse
from pathlib import Path

from playwright.sync_api import Page, expect

from browser import chromium
from toy_server import serving

PICTURES = Path(__file__).parent.parent / "docs" / "images"
TEXT = """Good morning. I would like a large latte with oat milk, please.
Can I pay by card? How do I get to the airport?"""
DESKTOP = {"viewport": {"width": 1280, "height": 720}, "locale": "en-GB"}
PHONE = {"viewport": {"width": 390, "height": 760}, "locale": "zh-CN", "has_touch": True, "is_mobile": True}


def translate(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#source").fill(TEXT)
    expect(page.locator("#time")).not_to_be_empty()


def save(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)  # until what fades has faded
    page.screenshot(path=PICTURES / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_dirs", nargs="+", type=Path)
    folders = parser.parse_args().model_dirs
    PICTURES.mkdir(exist_ok=True)
    with serving(folders) as address, chromium() as browser:
        page = browser.new_page(color_scheme="light", **DESKTOP)
        translate(page, address)
        translate(page, address)  # its time is that of an engine that has worked before
        save(page, "page-light.png")
        page = browser.new_page(color_scheme="dark", **DESKTOP)
        translate(page, address)
        page.locator(".sentence").nth(1).click()
        expect(page.locator("#alternatives label")).not_to_have_count(0)
        save(page, "page-dark.png")
        page = browser.new_page(color_scheme="light", device_scale_factor=2, **PHONE)
        translate(page, address)
        save(page, "page-phone.png")


if __name__ == "__main__":
    main()
