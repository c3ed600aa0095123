"""Odd requests, one after another and side by side: a clear status each, no failure, and nobody else's text.

ODD_REQUESTS=10000 uv run pytest -n 0 tests/serving/test_odd_requests.py     more than the few hundred of every day
"""

import asyncio
import json
import os
import random
from collections import Counter

import pytest

from toy_model import PAIRS

COUNT = int(os.environ.get("ODD_REQUESTS", "300"))
KNOWN = dict(PAIRS[:72])  # which the toy says by heart
STATUSES = {200, 400, 404, 405, 413, 422}
TEXTS = (
    *("", " " * 100_000, "\0", "a\0b", "\u202eabc\u202c שלום مرحبا", "\ud800", "\U000f0000", "\ufffe\uffff"),
    *("x" * 10_000, "a" * 4_999, "我" * 4_999, "<b>" * 1_500, "{{{{" * 999, "`" * 4_000, "%s" * 2_000, "\n" * 4_000),
    *("a.\n" * 1_200, "<p translate=no>a<p>b</p>", "&#0;&#xD800;&amp", "http://" + "a/" * 900, "1" * 4_000),
    *("👩\u200d👩\u200d👧" * 300, "é" * 2_000, "…!?。" * 400, "We like tea.", "give me 3.5 {cups}", "你好"),
)
VALUES = (*TEXTS, None, 3, -1, 1e308, True, [], {}, ["We like tea."], [[]], {"a": 1}, [None], ["x"] * 200, "9" * 5_000)
FIELDS = (
    *("text", "q", "texts", "text_list", "source", "target", "from", "to", "source_lang", "target_lang", "format"),
    *("alternatives", "beam_size", "glossary", "split_sentences", "tag_handling", "api_key"),
)
GOOD = {
    "/api/translate": {"text": "We like tea."},
    "/api/translate/stream": {"text": "We like tea."},
    "/translate": {"q": "We like tea.", "target": "zh"},
    "/detect": {"q": "We like tea."},
    "/v2/translate": {"text": ["We like tea."], "target_lang": "ZH"},
    "/language/translate/v2": {"q": "We like tea.", "target": "zh"},
    "/imme": {"text_list": ["We like tea."], "source_lang": "auto", "target_lang": "zh-CN"},
    "/kiss": {"text": "We like tea.", "from": "auto", "to": "zh-CN"},
    "/deeplx": {"text": "We like tea.", "source_lang": "EN", "target_lang": "ZH"},
}
TYPES = (
    *["application/json"] * 6,
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
)


def odd_request(draw: random.Random) -> bytes:
    """A request with a few odd fields; sometimes its body is cut, or no JSON at all."""
    path = draw.choice([*GOOD, *GOOD, "/translate_file", "/api/translate_file", "/nothing", "/download_file/..%2f"])
    body = dict(GOOD.get(path, {}))
    for _ in range(draw.randint(0, 3)):
        body[draw.choice([*body, *FIELDS])] = draw.choice(VALUES)
    sent = json.dumps(body).encode()
    sent = draw.choice([sent] * 7 + [sent[: len(sent) // 2], b"[" * 9_000, b"\xff\xfe" + sent])
    method = draw.choice(["POST"] * 9 + ["GET", "PUT", "OPTIONS"])
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(sent)}\r\n"
    return f"{head}Content-Type: {draw.choice(TYPES)}\r\n\r\n".encode() + sent


async def ask(address: str, request: bytes) -> tuple[int, bytes]:
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    try:
        head, _, body = (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return int(head.split()[1]), body


async def leave(address: str, request: bytes, draw: random.Random) -> None:
    """Send a part of a request, or all of it, and go."""
    host, port = address.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(request[: draw.randint(1, len(request))])
    await asyncio.sleep(draw.random() / 50)
    writer.transport.abort()


def known_request(text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    head = "POST /api/translate HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("seed", [1])
def test_odd_requests_fail_alone(address, seed):
    draw, found = random.Random(seed), Counter()

    async def odd(count: int) -> None:
        for _ in range(count):
            request = odd_request(draw)
            if draw.random() < 0.1:
                await leave(address, request, draw)
                continue
            status, body = await ask(address, request)
            assert status in STATUSES, (status, body[:300], request[:300])
            if status != 200:
                assert isinstance(json.loads(body), dict), request[:300]
            found[status] += 1

    async def known(count: int) -> None:
        for _ in range(count):
            text = draw.choice(list(KNOWN))
            status, body = await ask(address, known_request(text))
            assert status == 200, body
            assert json.loads(body)["translations"][0]["text"] == KNOWN[text]

    async def all_together() -> None:
        await asyncio.gather(*(odd(COUNT // 6) for _ in range(6)), known(COUNT // 6))

    asyncio.run(all_together())
    assert {200, 400, 422} <= set(found)
