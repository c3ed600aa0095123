from pathlib import Path

import pytest

from marian_distill.evaluation.breakdown import break_down
from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.metrics import reported_metrics
from marian_distill.evaluation.rules import FAULTS, SOURCES, Segment, words_in
from marian_distill.evaluation.significance import segment_statistics

# A rule, a source of which it holds, one of which it does not; English, then Chinese.
ENGLISH = (
    ("amounts", "I paid 12 yuan.", "I paid him."),
    ("decimals", "It is 7.5 km.", "It is 7 km."),
    ("thousands", "It costs 1,200 yuan.", "In 2026, 200 people came."),
    ("large", "They sold 1.4 million.", "They sold a millionaire's car."),
    ("percent", "Ten per cent off.", "A person left."),
    ("currency", "That's 5 dollars.", "That's 5 dolls."),
    ("dates", "Come on May 3.", "You may come."),
    ("times", "Meet me at half past four.", "Meet me for half an hour."),
    ("ordinals", "My second cup.", "Wait a minute."),
    ("phones", "Call +44 7700 900142.", "Room 4401."),
    ("codes", "Flight MU587 is late.", "The USA is large."),
    ("coffee", "A flat white, please.", "A flat tyre."),
    ("travel", "Where do I check in?", "Check the oil."),
    ("one word", "umbrella", "an umbrella"),
    ("two words", "power bank", "bank"),
    ("capitals", "DO NOT TOUCH", "The USA"),
    ("no full stop", "is this water free", "Is this water free?"),
    ("typos", "is teh water free", "is the water free"),
    ("placeholders", "Hello {name}!", "Hello Anna!"),
)
CHINESE = (
    ("amounts", "一共30元。", "一起去吧。"),
    ("thousands", "大概两千块。", "今天很冷。"),
    ("large", "年薪25万元。", "年薪不高。"),
    ("percent", "百分之十的折扣。", "打九折。"),
    ("currency", "一共五块。", "加两块糖。"),
    ("dates", "9月14日到期。", "九号桌要两杯。"),
    ("times", "下午四点半见。", "磨粗一点。"),
    ("ordinals", "第二杯半价。", "二楼。"),
    ("coffee", "来杯拿铁。", "来杯水。"),
    ("travel", "登机口在哪里？", "厨房在哪里？"),
    ("one word", "雨伞", "出租车站"),
    ("two words", "卫生纸", "伞"),
    ("no full stop", "我要两个大杯的", "我要两个大杯的。"),
    ("typos", "在来一杯", "再来一杯"),
)


@pytest.mark.parametrize("target", ["zh", "en"])
def test_every_rule_about_sources_knows_what_it_is_about(target):
    for name, held, other in ENGLISH if target == "zh" else CHINESE:
        rule = SOURCES[name]
        assert rule.holds(Segment(held, ("x",), "x", target)), (name, held)
        assert not rule.holds(Segment(other, ("x",), "x", target)), (name, other)
    assert {name for name, *_ in ENGLISH} == set(SOURCES)


SOURCE, REFERENCE = "Pay 30 yuan at https://pay.example by 8 p.m.", "请在晚上8点前到https://pay.example支付30元。"


@pytest.mark.parametrize(
    ("fault", "hypothesis"),
    [
        ("empty", "。"),
        ("numbers", "请在晚上8点前到https://pay.example支付13元。"),
        ("placeholders lost", "请在晚上8点前支付30元。"),
        ("copied", SOURCE),
        ("repeated", "请支付30元元元元元元，晚上8点前到https://pay.example。"),
        ("traditional", "請在晚上8点前到https://pay.example支付30元。"),
        ("script", "请在晚上8点前到https://pay.example支付thirty元。"),
        ("punctuation", "晚上8点前,到https://pay.example支付30元."),
        ("entities", "晚上8点前到https://pay.example支付30&#39;元。"),
        ("added", REFERENCE + "谢谢您的光临，欢迎您和您的朋友们下次再来我们这里用餐，祝您一路平安。"),
        ("omitted", "支付30元。"),
    ],
)
def test_every_fault_is_found_and_the_reference_has_none(fault, hypothesis):
    assert FAULTS[fault].holds(Segment(SOURCE, (REFERENCE,), hypothesis, "zh"))
    assert not any(rule.holds(Segment(SOURCE, (REFERENCE,), REFERENCE, "zh")) for rule in FAULTS.values())


def test_faults_of_english():
    right = "It costs 30 yuan, thank you."

    def found(hypothesis):
        segment = Segment("一共三十元，谢谢。", (right,), hypothesis, "en")
        return {name for name, rule in FAULTS.items() if rule.holds(segment)}

    assert found(right) == set()
    assert found("It costs ￥30, thank you.") == set()  # the same value in another form
    assert found("It costs thirty yuan，thank you.") == {"punctuation"}
    assert found("It costs 30 元, thank you.") == {"script"}
    assert found("It costs 30 yuan, I think, I think, I think.") == {"repeated"}


def test_words_of_both_languages():
    assert [words_in(text) for text in ("umbrella", "I can't wait.", "雨伞", "出租车站", "MU587航班", "")] == [
        *(1, 3, 1, 2),
        words_in("MU587") + 1,
        0,
    ]


def test_a_test_set_is_taken_apart():
    pairs = [("I paid 12 yuan.", "我付了12元。"), ("Coffee?", "咖啡？"), ("A coffee for 8 yuan.", "8元的咖啡。")]
    test = EvaluationSet(Path("a.tsv"), [((english,), (chinese,)) for english, chinese in pairs])
    hypotheses = ["我付了12元。", "茶？", "9元的咖啡。"]
    statistics = segment_statistics(reported_metrics("zh")["chrf"], hypotheses, test.references("en-zh"))
    found = break_down(test, "en-zh", hypotheses, statistics)
    assert found["slices"]["coffee"]["sentences"] == 2
    assert found["slices"]["coffee"]["worst"] == [1, 2]
    assert found["slices"]["amounts"]["kept"] == 0.5
    low, high = found["slices"]["amounts"]["interval"]
    assert low <= found["slices"]["amounts"]["score"] <= high
    assert "percent" not in found["slices"]
    assert {name: part["sentences"] for name, part in found["lengths"].items()} == {"1": 1, "3-5": 2}
    assert found["faults"]["numbers"] == {
        "sentences": 1, "share": 0.3333, "interval": found["faults"]["numbers"]["interval"], "worst": [2],
    }  # fmt: skip
    assert found["faults"]["empty"]["sentences"] == 0
