"""Whether an exported model says what the trained one says: greedy, token for token."""

from collections.abc import Sequence
from typing import TypedDict

from marian_distill.errors import UserError
from marian_distill.languages import Direction, Language, languages_of
from marian_distill.runtime.translator import PieceTranslator

SENTENCES: dict[Language, tuple[str, ...]] = {
    "en": (
        "Good morning.",
        "Where is the nearest station?",
        "give me a cup of latte",
        "This is a dog",
        "The total is 19.99 USD.",
        "Subtotal: $1,234.56. Tax: $1.60. Total: $19.99.",
        "Tom is going to Beijing on 2026-04-20.",
        "Could I have two iced coffees to go, please?",
        "How much is a ticket to the airport?",
        "The train leaves at 8:45 from platform 3.",
        "I would like to change my room.",
        "Do you take credit cards?",
        "My flight was delayed by three hours.",
        "Please turn left at the second traffic light.",
        "We need a table for four.",
        "It is raining, so take an umbrella.",
        "She has lived here since she was a child.",
        "No sugar, just a little milk.",
        "Can you help me find my bag?",
        "He said that he would come tomorrow.",
        "The museum is closed on Mondays.",
        "What time does breakfast start?",
        "I have a fever and a sore throat.",
        "Keep the change.",
        "That comes to £8.50 each.",
        "Is there free Wi-Fi in the hotel?",
        "The river was wide and the bridge was old.",
        "Nobody knows what will happen next year.",
        "Call the police!",
        "Thank you very much for your help.",
    ),
    "zh": (
        "早上好。",
        "最近的车站在哪里？",
        "给我一杯拿铁",
        "这是一条狗",
        "总额为19.99美元。",
        "小计：$1,234.56。税：$1.60。合计：$19.99。",
        "汤姆2026-04-20去北京。",
        "请给我两杯冰咖啡，带走。",
        "去机场的票多少钱？",
        "火车8:45从3号站台开出。",
        "我想换一个房间。",
        "可以刷卡吗？",
        "我的航班晚点了三个小时。",
        "请在第二个红绿灯左转。",
        "我们要一张四个人的桌子。",
        "下雨了，带把伞吧。",
        "她从小就住在这里。",
        "不要糖，只加一点牛奶。",
        "你能帮我找一下包吗？",
        "他说他明天会来。",
        "博物馆星期一不开门。",
        "早餐几点开始？",
        "我发烧了，嗓子也疼。",
        "不用找了。",
        "每个人8.50英镑。",
        "酒店里有免费的无线网吗？",
        "河很宽，桥很旧。",
        "谁也不知道明年会发生什么。",
        "快报警！",
        "非常感谢你的帮助。",
    ),
}


class Parity(TypedDict):
    """How many sentences of a sample two models decode alike, and the first few that they do not."""

    direction: Direction
    sentences: int
    equal: int
    rate: float
    differences: list[dict[str, str]]


def parity(
    trained: PieceTranslator,
    exported: PieceTranslator,
    texts: Sequence[str],
    max_length: int = 128,
    *,
    direction: Direction | None = None,
    beam_size: int | None = None,
) -> Parity:
    """Decode texts with both models and compare piece for piece.

    Args:
        trained: the reference.
        exported: the model under test; its source tag is used for both.
        texts: source sentences; those of more than `max_length` source tokens are left out.
        max_length: bound in source tokens, below every position table.
        direction: of the texts; that of the model under test when None.
        beam_size: of both; each one's own when None.
    """
    direction = direction or exported.direction
    sources = exported.pieces.source_pieces(texts, exported.source_tags[direction])
    sources = [pieces for pieces in sources if len(pieces) <= max_length]
    expected, found = trained.decode_pieces(sources, beam_size), exported.decode_pieces(sources, beam_size)
    decode = exported.pieces.decode
    differences = [
        {"source": decode(source), "trained": decode(left), "exported": decode(right)}
        for source, left, right in zip(sources, expected, found, strict=True)
        if left != right
    ]
    equal = len(sources) - len(differences)
    return {
        "direction": direction,
        "sentences": len(sources),
        "equal": equal,
        "rate": round(equal / len(sources), 4) if sources else 0.0,
        "differences": differences[:5],
    }


def checked_parity(
    trained: PieceTranslator,
    exported: PieceTranslator,
    pairs: Sequence[tuple[str, str]],
    min_parity: float,
    max_length: int = 128,
    *,
    direction: Direction | None = None,
) -> Parity:
    """`parity` over the source side of (English, Chinese) pairs; `UserError` when its rate is below `min_parity`."""
    direction = direction or exported.direction
    column = 0 if languages_of(direction)[0] == "en" else 1
    report = parity(trained, exported, [pair[column] for pair in pairs], max_length, direction=direction)
    if report["rate"] < min_parity:
        example = report["differences"][0]
        raise UserError(
            f"parity {report['direction']}: {report['equal']} of {report['sentences']} translations equal the trained "
            f"model's, fewer than the {min_parity:.0%} asked for; nothing was written. First: {example['source']!r} "
            f"gives {example['exported']!r}, trained {example['trained']!r}"
        )
    return report
