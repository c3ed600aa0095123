"""The APIs that translation clients speak already, each a row of `DIALECTS`: fields of a request, shapes of answers.

LibreTranslate (docs.libretranslate.com), DeepL v2 (developers.deepl.com), Google v2 (cloud.google.com/translate),
Immersive Translate's custom API, kiss-translator's, DeepLX.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marian_distill.languages import Language
from marian_distill.serving.limits import RequestError
from marian_distill.serving.translation import Format, Translation, Wish

Values = Mapping[str, Any]  # of JSON, form and query together
Error = Callable[[int, str], dict]

# Codes that clients send; simplified Chinese alone.
CODES: dict[str, Language] = {
    **dict.fromkeys(("en", "eng", "english", "en-us", "en-gb", "en-au", "en-ca"), "en"),
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "zh-cn", "zh-hans", "zh-hans-cn", "zh-sg", "chinese"), "zh"),
}
NAMES: dict[Language, str] = {"en": "English", "zh": "Chinese"}
LIBRE: dict[Language, str] = {"en": "en", "zh": "zh-Hans"}
GOOGLE: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
DEEPL: dict[Language, str] = {"en": "EN", "zh": "ZH"}


@dataclass(frozen=True)
class Dialect:
    """One way to ask for a translation.

    Args:
        paths: where it is asked for.
        texts: fields that hold a text or a list of them; the first that is there counts.
        source, target: fields of the languages.
        write: the answer of a request and its translations.
        error: the answer of a status and a message.
        formats: field of the format, and which of its values are HTML.
        default_format: where the field is missing.
        keyless: status of a request that comes without the key that it needs.
    """

    paths: tuple[str, ...]
    texts: tuple[str, ...]
    source: str
    target: str
    write: Callable[[Values, Sequence[Translation]], Any]
    error: Error
    formats: tuple[str, Mapping[str, Format]] = ("", {})
    default_format: Format = "text"
    keyless: int = 403

    def wish(self, values: Values) -> Wish:
        """What a request asks for; `RequestError` (400) in the dialect's words when it does not say."""
        field = next((name for name in self.texts if values.get(name) not in (None, "")), self.texts[0])
        for name in (field, self.target):
            if values.get(name) in (None, ""):
                raise RequestError(400, f"Invalid request: missing {name} parameter")
        texts = values[field] if isinstance(values[field], list) else [values[field]]
        if not all(isinstance(text, str) for text in texts):
            raise RequestError(400, f"Invalid request: {field} is no text")
        name, known = self.formats
        asked = values.get(name) or self.default_format
        if not isinstance(asked, str) or asked not in ("text", *known):
            raise RequestError(400, f"{asked!s:.20} format is not supported")
        return Wish(
            texts=texts,
            source=language_of_code(values.get(self.source)),
            target=language_of_code(values.get(self.target)),
            alternatives=_whole_number(values, "alternatives"),
            split_sentences=str(values.get("split_sentences", "1")) not in ("0", "False"),
            format=known.get(asked, "text"),
        )


def language_of_code(code: object) -> Language | None:
    """en or zh of any code for them; None for `auto` and nothing; `RequestError` (400) for all others."""
    if code in (None, "", "auto"):
        return None
    name = str(code).replace("_", "-").lower()
    if name == "auto":
        return None
    if name not in CODES:
        raise RequestError(400, f"{str(code)[:20]} is not supported")
    return CODES[name]


def _whole_number(values: Values, name: str) -> int:
    value = values.get(name) or 0
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        value = int(value)
    if not isinstance(value, int):
        raise RequestError(400, f"Invalid request: {name} is no whole number")
    return value


def plain_error(_: int, message: str) -> dict:
    """LibreTranslate's, and this server's own."""
    return {"error": message}


def _message_error(_: int, message: str) -> dict:
    return {"message": message}


def _deeplx_error(status: int, message: str) -> dict:
    return {"code": status, "message": message}


def _google_error(status: int, message: str) -> dict:
    names = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
    details = {"message": message, "domain": "global", "reason": "invalid" if status == 400 else "backendError"}
    return {"error": {"code": status, "message": message, "status": names.get(status, "UNKNOWN"), "errors": [details]}}


def _libre(values: Values, found: Sequence[Translation]) -> dict:
    listed = isinstance(values["q"], list)

    def shaped(each: list) -> Any:
        return each if listed else each[0]

    answer = {"translatedText": shaped([one.text for one in found])}
    if str(values.get("source") or "auto").lower() == "auto":
        answer["detectedLanguage"] = shaped([{"confidence": 100, "language": LIBRE[one.source]} for one in found])
    if _whole_number(values, "alternatives"):
        answer["alternatives"] = shaped([[text for text, _ in one.alternatives] for one in found])
    return answer


def _deepl(values: Values, found: Sequence[Translation]) -> dict:
    texts = values["text"] if isinstance(values["text"], list) else [values["text"]]
    answers: list[dict] = [{"detected_source_language": DEEPL[one.source], "text": one.text} for one in found]
    if values.get("show_billed_characters"):
        for answer, text in zip(answers, texts, strict=True):
            answer["billed_characters"] = len(text)
    return {"translations": answers}


def _google(values: Values, found: Sequence[Translation]) -> dict:
    answers = [{"translatedText": one.text} for one in found]
    if not values.get("source"):
        for answer, one in zip(answers, found, strict=True):
            answer["detectedSourceLanguage"] = GOOGLE[one.source]
    return {"data": {"translations": answers}}


def _immersive(values: Values, found: Sequence[Translation]) -> dict:
    return {"translations": [{"detected_source_lang": GOOGLE[one.source], "text": one.text} for one in found]}


def _kiss(values: Values, found: Sequence[Translation]) -> dict:
    answers = [{"text": one.text, "src": GOOGLE[one.source]} for one in found]
    return {"translations": answers} if "texts" in values else answers[0]


def _deeplx(values: Values, found: Sequence[Translation]) -> dict:
    if len(found) != 1:
        raise RequestError(400, "Invalid request: text is no text")
    one = found[0]
    return {
        "code": 200,
        "id": 1,
        "data": one.text,
        "alternatives": [text for text, _ in one.alternatives],
        "source_lang": DEEPL[one.source],
        "target_lang": DEEPL[one.target],
        "method": "Free",
    }


HTML: dict[str, Format] = {"html": "html"}
XML: dict[str, Format] = {**HTML, "xml": "html"}
GOOGLE_PATHS = ("/language/translate/v2", "/google/language/translate/v2")
DIALECTS = (
    Dialect(("/translate",), ("q",), "source", "target", _libre, plain_error, ("format", HTML), keyless=400),
    Dialect(
        ("/v2/translate",), ("text",), "source_lang", "target_lang", _deepl, _message_error, ("tag_handling", XML)
    ),
    Dialect(GOOGLE_PATHS, ("q",), "source", "target", _google, _google_error, ("format", HTML), "html"),
    Dialect(("/imme",), ("text_list",), "source_lang", "target_lang", _immersive, plain_error),
    Dialect(("/kiss",), ("texts", "text"), "from", "to", _kiss, plain_error),
    Dialect(("/deeplx",), ("text",), "source_lang", "target_lang", _deeplx, _deeplx_error),
)


def error_of(path: str) -> tuple[Error, int]:
    """The shape of a path's errors, and the status of a missing key there."""
    for dialect in DIALECTS:
        if path in dialect.paths:
            return dialect.error, dialect.keyless
    if path.startswith("/v2/"):
        return _message_error, 403
    return (_google_error, 403) if path.startswith(GOOGLE_PATHS) else (plain_error, 401)
