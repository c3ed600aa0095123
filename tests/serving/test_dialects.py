"""Other servers' APIs: their real clients where a package has one, and the shapes that the others expect."""

import urllib.error

import deepl
import pytest
from libretranslatepy import LibreTranslateAPI

from marian_distill.serving.dialects import DIALECTS, language_of_code
from marian_distill.serving.limits import Limits, RequestError
from toy_server import serving

TEA, WATER = ("We like tea.", "我们喜欢茶。"), ("I want water.", "我想要水。")


def test_libretranslate_s_client(address):
    libre = LibreTranslateAPI(address)
    assert libre.translate(TEA[0], "en", "zh") == TEA[1]
    assert libre.translate(TEA[0], "auto", "zh-Hans") == TEA[1]
    assert libre.detect(TEA[1]) == [{"confidence": 100, "language": "zh-Hans"}]
    assert {"code": "en", "name": "English", "targets": ["zh-Hans"]} in libre.languages()
    with pytest.raises(urllib.error.HTTPError) as refused:
        libre.translate(TEA[0], "en", "fr")
    assert (refused.value.code, refused.value.read()) == (400, b'{"error":"fr is not supported"}')


def test_libretranslate_s_other_answers(client):
    asked = {"q": [TEA[0], WATER[0]], "source": "auto", "target": "zh", "alternatives": 1}
    answer = client.post("/translate", json=asked).json()
    assert answer["translatedText"] == [TEA[1], WATER[1]]
    assert answer["detectedLanguage"] == [{"confidence": 100, "language": "en"}] * 2
    assert [len(others) for others in answer["alternatives"]] == [1, 1]
    assert client.post("/translate?q=x&source=en&target=zh").status_code == 200
    assert client.get("/frontend/settings").json()["charLimit"] == 5000


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"source": "en", "target": "zh"}, "Invalid request: missing q parameter"),
        ({"q": "x", "source": "en"}, "Invalid request: missing target parameter"),
        ({"q": "x", "source": "zz", "target": "zh"}, "zz is not supported"),
        ({"q": "x", "target": "zh", "format": "pdf"}, "pdf format is not supported"),
        ({"q": "x" * 5001, "target": "zh"}, "Invalid request: request (5001) exceeds text limit (5000)"),
        ({"q": ["x"] * 129, "target": "zh"}, "Invalid request: request (129) exceeds text limit (128)"),
        ({"q": [3], "target": "zh"}, "Invalid request: q is no text"),
        ({"q": "x", "target": "zh", "alternatives": "many"}, "Invalid request: alternatives is no whole number"),
    ],
)
def test_libretranslate_s_problems(client, asked, message):
    response = client.post("/translate", json=asked)
    assert (response.status_code, response.json()) == (400, {"error": message})


def test_a_file_is_fetched_where_libretranslate_says(client):
    form = {"source": "en", "target": "zh"}
    answer = client.post("/translate_file", files={"file": ("a.txt", TEA[0].encode())}, data=form).json()
    assert client.get(answer["translatedFileUrl"]).text == TEA[1]
    assert client.get("/download_file/other.txt").status_code == 404
    assert client.post("/translate_file", data=form).json() == {"error": "Invalid request: missing file parameter"}


def test_deepl_s_client(address):
    client = deepl.DeepLClient("any", server_url=address, send_platform_info=False)
    one, two = client.translate_text([TEA[0], WATER[0]], target_lang="ZH")
    assert (one.text, one.detected_source_lang, two.text) == (TEA[1], "EN", WATER[1])
    assert client.translate_text(TEA[0], source_lang="EN", target_lang="ZH-HANS").billed_characters == len(TEA[0])
    assert [language.code for language in client.get_source_languages()] == ["EN"]
    assert [language.code for language in client.get_target_languages()] == ["ZH"]
    assert not client.get_usage().any_limit_reached
    with pytest.raises(deepl.DeepLException, match="DE is not supported"):
        client.translate_text(TEA[0], target_lang="DE")


def test_deepl_s_client_is_told_of_its_key(toy_ct2_dir):
    with serving([toy_ct2_dir], keys=["right"]) as address:
        right = deepl.DeepLClient("right", server_url=address)
        assert right.translate_text(TEA[0], target_lang="ZH").text == TEA[1]
        with pytest.raises(deepl.AuthorizationException, match="Invalid API key"):
            deepl.DeepLClient("wrong", server_url=address).translate_text(TEA[0], target_lang="ZH")


def test_deepl_s_client_is_told_to_slow_down(toy_ct2_dir):
    deepl.http_client.max_network_retries = 0
    with serving([toy_ct2_dir], Limits(requests_a_minute=1)) as address:
        client = deepl.DeepLClient("any", server_url=address)
        client.translate_text(TEA[0], target_lang="ZH")
        with pytest.raises(deepl.TooManyRequestsException, match="Slowdown"):
            client.translate_text(TEA[0], target_lang="ZH")


@pytest.mark.parametrize("path", ["/language/translate/v2", "/google/language/translate/v2"])
def test_google(client, path):
    answer = client.post(path, json={"q": [TEA[0]], "target": "zh-CN", "format": "text"}).json()
    assert answer == {"data": {"translations": [{"translatedText": TEA[1], "detectedSourceLanguage": "en"}]}}
    asked = {"q": [TEA[0], WATER[0]], "source": "en", "target": "zh", "format": "text"}
    answer = client.get(path, params=asked).json()
    assert answer == {"data": {"translations": [{"translatedText": TEA[1]}, {"translatedText": WATER[1]}]}}
    assert client.post(f"{path}/detect", json={"q": "你好"}).json()["data"]["detections"][0][0]["language"] == "zh-CN"
    assert len(client.get(f"{path}/languages").json()["data"]["languages"]) == 2
    problem = client.post(path, json={"q": TEA[0], "target": "de"})
    assert (problem.status_code, problem.json()["error"]["code"]) == (400, 400)


def test_immersive_translate(client):
    asked = {"source_lang": "auto", "target_lang": "zh-CN", "text_list": [TEA[0], WATER[1]]}
    assert client.post("/imme", json=asked).json() == {
        "translations": [
            {"detected_source_lang": "en", "text": TEA[1]},
            {"detected_source_lang": "zh-CN", "text": WATER[1]},
        ]
    }


def test_kiss_translator(client):
    asked = {"from": "auto", "to": "zh-CN"}
    assert client.post("/kiss", json={**asked, "text": TEA[0]}).json() == {"text": TEA[1], "src": "en"}
    answer = client.post("/kiss", json={**asked, "texts": [TEA[0], WATER[0]]}).json()
    assert [one["text"] for one in answer["translations"]] == [TEA[1], WATER[1]]
    assert client.post("/kiss", json={**asked, "texts": []}).json() == {"translations": []}


def test_deeplx(client):
    asked = {"text": TEA[0], "source_lang": "EN", "target_lang": "ZH"}
    answer = client.post("/deeplx", json=asked).json()
    assert (answer["code"], answer["data"], answer["source_lang"], answer["target_lang"]) == (200, TEA[1], "EN", "ZH")
    assert client.post("/deeplx", json={"text": TEA[0], "target_lang": "FR"}).json()["code"] == 400


@pytest.mark.parametrize("path", [path for dialect in DIALECTS for path in dialect.paths])
@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"q": "\\ud800"}', b"null", b"{}", b'{"q": {}, "text": {}}'])
def test_broken_requests_are_400_in_every_dialect(client, path, body):
    response = client.post(path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert isinstance(response.json(), dict)


@pytest.mark.parametrize(
    ("code", "language"), [("EN-us", "en"), ("zh_CN", "zh"), ("ZH", "zh"), ("auto", None), ("", None)]
)
def test_codes(code, language):
    assert language_of_code(code) == language


@pytest.mark.parametrize("code", ["zh-TW", "zt", "ja", "e n", 3])
def test_other_codes_are_not_supported(code):
    with pytest.raises(RequestError, match="is not supported"):
        language_of_code(code)
