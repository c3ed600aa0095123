"""The server's own API, over a real socket."""

import asyncio
import json
import socket
import time

import httpx
import pytest

from marian_distill.serving.limits import Limits
from toy_server import serving

TEA, WATER = ("We like tea.", "我们喜欢茶。"), ("I want water.", "我想要水。")
HEAD = "POST /api/translate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def post(client, path="/api/translate", **body):
    return client.post(path, json=body)


def test_a_text(client):
    answer = post(client, text=TEA[0]).json()
    assert answer["milliseconds"] > 0
    assert answer["model"] == "toy-ct2"
    [one] = answer["translations"]
    assert one == {"text": TEA[1], "source": "en", "target": "zh", "alternatives": [], "warnings": []}


def test_a_list_is_detected_text_by_text(client):
    translations = post(client, text=[TEA[0], WATER[1], ""], target="zh").json()["translations"]
    assert [one["text"] for one in translations] == [TEA[1], WATER[1], ""]
    assert [one["source"] for one in translations] == ["en", "zh", "en"]
    assert translations[1]["warnings"] == ["the text is zh already"]


def test_lines_and_sentences_stay_in_their_places(client):
    text = f"{TEA[0]} {WATER[0]}\n\n{WATER[0]}\n"
    for split in (True, False):
        [one] = post(client, text=text, split_sentences=split).json()["translations"]
        lines = one["text"].split("\n")
        assert [bool(line) for line in lines] == [True, False, True, False]
        assert lines[2] == WATER[1]
    [one] = post(client, text=text).json()["translations"]
    assert one["text"] == f"{TEA[1]}{WATER[1]}\n\n{WATER[1]}\n"


def test_alternatives_are_others_with_their_scores(client):
    [one] = post(client, text=TEA[0], alternatives=3).json()["translations"]
    assert one["text"] == TEA[1]
    texts = [other["text"] for other in one["alternatives"]]
    assert 1 <= len(texts) <= 3
    assert len({*texts, TEA[1]}) == len(texts) + 1
    assert all(other["score"] < 0 for other in one["alternatives"])


def test_what_must_come_back_does(client):
    [one] = post(client, text="We like {name}. See https://example.org/a?b=1. Use `a. B` now!").json()["translations"]
    assert all(kept in one["text"] for kept in ("{name}", "https://example.org/a?b=1", "`a. B`"))
    [one] = post(client, text='<p class="x">We like tea.</p><!-- y -->', format="html").json()["translations"]
    assert one["text"] == '<p class="x">我们喜欢茶。</p><!-- y -->'
    [one] = post(client, text=TEA[0], glossary={"tea": "普洱"}).json()["translations"]
    assert "普洱" in one["text"]
    assert post(client, text="x", glossary={"": "y"}).status_code == 400


def test_a_stream_has_an_event_for_each_sentence_and_one_at_the_end(client):
    with client.stream("POST", "/api/translate/stream", json={"text": f"{TEA[0]} {WATER[0]}"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = response.read().decode().strip().split("\n\n")
    data = [json.loads(event.partition("data: ")[2]) for event in events]
    facts = {"warnings": [], "source": "en", "target": "zh"}
    assert data[:2] == [
        {"index": 0, "source_text": TEA[0], "text": TEA[1], **facts},
        {"index": 1, "source_text": WATER[0], "text": WATER[1], **facts},
    ]
    assert events[2].startswith("event: done\n")
    assert data[2]["model"] == "toy-ct2"


def test_a_file_tells_how_much_of_it_is_done(client):
    files = {"file": ("menu.txt", (f"{TEA[0]}\n" * 100).encode())}
    response = client.post("/api/translate_file", files=files, headers={"Accept": "text/event-stream"})
    data = [json.loads(event.partition("data: ")[2]) for event in response.text.strip().split("\n\n")]
    assert data == [{"share": 0.64}, {"share": 1.0}, {"name": "menu.zh.txt", "text": f"{TEA[1]}\n" * 100}]


def test_a_file_comes_back_as_a_file(client):
    files = {"file": ("menu.md", f"# {TEA[0]}\n\n```\ncode\n```\n".encode())}
    response = client.post("/api/translate_file", files=files, data={"target": "zh"})
    assert response.text == f"# {TEA[1]}\n\n```\ncode\n```\n"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''menu.zh.md"


def test_models_health_and_metrics(client):
    [model] = client.get("/models").json()
    assert (model["name"], model["engine"], model["loaded"]) == ("toy-ct2", "ctranslate2", True)
    assert model["directions"] == [{"source": "en", "target": "zh"}]
    assert client.get("/health").json() == {"status": "ok"}
    post(client, text=TEA[0])
    metrics = client.get("/metrics").text
    assert 'requests_total{endpoint="/api/translate",status="200"}' in metrics
    assert "127.0.0.1" not in metrics


def test_the_openapi_document_has_examples_and_problems(client):
    document = client.get("/openapi.json").json()
    assert document["components"]["schemas"]["TranslateRequest"]["example"]["text"]
    for path in ("/api/translate", "/translate", "/v2/translate", "/imme"):
        assert {"400", "429", "503"} < set(document["paths"][path]["post"]["responses"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": 3}, 422),
        ({}, 422),
        ({"text": "x", "beam": 3}, 422),
        ({"text": "x", "target": "fr"}, 422),
        ({"text": "x", "alternatives": 11}, 400),
        ({"text": "x", "beam_size": 1000}, 400),
        ({"text": "x" * 5001}, 400),
        ({"text": ["x"] * 129}, 400),
        ({"text": "你好"}, 400),  # the toy has no zh-en
        ({"text": "x", "glossary": {str(n): "x" for n in range(201)}}, 400),
    ],
)
def test_what_cannot_be_is_told_in_one_line(client, body, status):
    response = client.post("/api/translate", json=body)
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert "\n" not in response.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"", b'{"text": "\\ud800"}', b"[" * 100_000, b'{"text": NaN}'])
def test_broken_json_is_told_too(client, body):
    response = client.post("/api/translate", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert list(response.json()) == ["error"]


def test_other_paths_and_methods(client):
    assert (client.get("/nothing").status_code, client.get("/api/translate").status_code) == (404, 405)
    assert client.get("/nothing").json() == {"error": "Not Found"}


def test_pages_of_any_origin_may_ask(client):
    asked = {"origin": "https://example.org", "access-control-request-method": "POST"}
    response = client.options("/translate", headers={**asked, "access-control-request-headers": "content-type"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"


def test_a_burst_of_512_is_answered_whole(address):
    host, port = address.removeprefix("http://").split(":")

    async def ask(text):
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps({"text": text}).encode()
        writer.write(f"{HEAD}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        return json.loads(answer.partition(b"\r\n\r\n")[2])["translations"][0]["text"]

    async def burst():
        return await asyncio.gather(*(ask((TEA, WATER)[number % 2][0]) for number in range(512)))

    assert asyncio.run(burst()) == [TEA[1], WATER[1]] * 256


def test_limits_of_bodies_time_and_rate(toy_ct2_dir):
    limits = Limits(body_bytes=1000, seconds=0.5, requests_a_minute=4)
    with serving([toy_ct2_dir], limits) as address, httpx.Client(base_url=address) as client:
        assert post(client, text="x" * 2000).status_code == 413
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(b"POST /translate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408")
        assert [post(client, text=TEA[0]).status_code for _ in range(3)] == [200, 200, 429]
        refused = client.post("/v2/translate", json={}, headers={"Origin": "https://example.org"})
        assert list(refused.json()) == ["message"]
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["access-control-allow-origin"] == "*"


def test_keys_in_header_body_and_query(toy_ct2_dir):
    with serving([toy_ct2_dir], keys=["secret"]) as address, httpx.Client(base_url=address) as client:
        assert post(client, text=TEA[0]).status_code == 401
        assert post(client, text=TEA[0], api_key="wrong").status_code == 403
        assert post(client, text=TEA[0], api_key="secret").status_code == 200
        assert post(client, path="/api/translate?token=secret", text=TEA[0]).status_code == 200
        for header in ({"Authorization": "Bearer secret"}, {"X-API-Key": "secret"}):
            assert client.post("/api/translate", json={"text": TEA[0]}, headers=header).status_code == 200
        assert client.get("/metrics").status_code == 401
        libre = client.post("/translate", data={"q": TEA[0], "source": "en", "target": "zh"})
        assert (libre.status_code, list(libre.json())) == (400, ["error"])
        assert client.post("/v2/translate", json={"text": [TEA[0]], "target_lang": "ZH"}).status_code == 403


def test_sentences_of_a_client_that_has_gone_leave_the_queue(address, client):
    host, port = address.removeprefix("http://").split(":")
    body = json.dumps({"text": [f"{TEA[0]} {WATER[0]}"] * 128, "beam_size": 10}).encode()
    for _ in range(8):
        with socket.create_connection((host, int(port))) as leaving:
            leaving.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.02)
    deadline = time.monotonic() + 10
    while "waiting_sentences 0.0" not in client.get("/metrics").text:
        assert time.monotonic() < deadline
    assert 'requests_total{endpoint="/api/translate",status="499"}' in client.get("/metrics").text
    assert post(client, text=TEA[0]).json()["translations"][0]["text"] == TEA[1]
