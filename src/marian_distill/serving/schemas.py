"""Requests and answers of the server's own API, as its OpenAPI document has them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from marian_distill.languages import Language
from marian_distill.serving.translation import Translation, Wish

EXAMPLE: JsonDict = {"text": "give me a cup of latte", "source": "auto", "target": "zh"}


class TranslateRequest(BaseModel):
    """One text or a list; each is translated in its own direction where `source` is `auto`."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": EXAMPLE})

    text: Annotated[str | list[str], Field(description="Plain text or HTML; line breaks are kept.")]
    source: Annotated[Literal["auto", "en", "zh"], Field(description="auto: by its script, each text by itself.")] = (
        "auto"
    )
    target: Annotated[Language | None, Field(description="The other language than the source when null.")] = None
    beam_size: Annotated[int | None, Field(ge=1, description="1: greedy; the server's own when null.")] = None
    alternatives: Annotated[int, Field(ge=0, description="Further translations of each text, with scores.")] = 0
    split_sentences: Annotated[bool, Field(description="Sentence by sentence; else line by line.")] = True
    format: Annotated[Literal["text", "html"], Field(description="html: tags stay where they belong.")] = "text"
    glossary: Annotated[
        dict[str, str] | None,
        Field(description="Source term → its translation.", examples=[{"latte": "拿铁"}]),
    ] = None
    api_key: Annotated[str | None, Field(description="Where the server asks for one; a header does as well.")] = None

    def wish(self) -> Wish:
        """What is asked for."""
        return Wish(
            texts=[self.text] if isinstance(self.text, str) else self.text,
            source=None if self.source == "auto" else self.source,
            target=self.target,
            beam_size=self.beam_size,
            alternatives=self.alternatives,
            split_sentences=self.split_sentences,
            format=self.format,
            glossary=self.glossary or {},
        )


class Alternative(BaseModel):
    """Another translation, and its mean log-probability a token."""

    text: str
    score: float


class TextTranslation(BaseModel):
    """What became of a text."""

    text: str
    source: Language
    target: Language
    alternatives: list[Alternative] = []
    warnings: list[str] = []

    @classmethod
    def of(cls, translation: Translation) -> "TextTranslation":
        """As the service has it."""
        return cls(
            text=translation.text,
            source=translation.source,
            target=translation.target,
            alternatives=[Alternative(text=text, score=round(score, 4)) for text, score in translation.alternatives],
            warnings=translation.warnings,
        )


class TranslateAnswer(BaseModel):
    """Translations in the order of the texts."""

    translations: list[TextTranslation]
    model: Annotated[str, Field(description="The models that translated, separated by commas.")]
    milliseconds: Annotated[float, Field(description="From the request's arrival to this answer.")]


class DirectionOf(BaseModel):
    """A direction that a model translates."""

    source: Language
    target: Language


class ModelFacts(BaseModel):
    """A model folder of the server."""

    name: str
    directions: list[DirectionOf]
    bytes: int
    compute_type: str | None
    engine: str
    loaded: Annotated[bool, Field(description="False: another one is preferred for its directions.")]


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"


class Problem(BaseModel):
    """Why there is no translation, in one line."""

    error: str
