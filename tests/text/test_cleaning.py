"""Each filter hits what its name says and nothing else; the report counts every row once, by source."""

import json

import datasets
import pytest

from marian_distill.text.cleaning import Limits, clean

LONG = "word " * 10

DROPPED = {
    "empty": [("", "你好"), ("Hello", "  "), ("\t", "")],
    "control_characters": [("Hel\x00lo", "你好"), ("Hello", "你\x1b好"), ("Hello", "\ufffd\ufffd好")],
    "untranslated": [("19.99", "19.99"), ("咖啡", "咖啡"), ("Linux ", "Linux")],
    "no_han_in_zh": [("Thank you", "Merci"), ("Hello", "。。。")],
    "han_in_en": [("咖啡和茶", "我要咖啡和茶"), ("咖啡 x", "我要咖啡")],
    "too_long": [("word " * 200, "字" * 200), ("word " * 120, "字" * 301)],
    "length_ratio": [("Yes", "这是一句完全不同的、长得不可能是翻译的话。"), (LONG + LONG, "是的")],
}
KEPT = [
    ("Accessibility", "无障碍辅助功能"),
    ("to give as good as one gets; to answer blow with blow, an eye for an eye", "以牙还牙"),
    ("variant of 咖啡, coffee", "珈琲"),
    ("See https://example.org/a/very/long/address/that/never/ends", "见 https://example.org/a/very/long/address/that"),
    ("It's 1,234.56\nper person.", "每人1,234.56元。"),
    ("OK", "好"),
    ("I would like a cup of latte, please.", "请给我一杯拿铁。"),
    ("Zürich", "苏黎世"),
]


@pytest.mark.parametrize(("reason", "pair"), [(reason, pair) for reason, pairs in DROPPED.items() for pair in pairs])
def test_each_filter_drops_its_own(make_parallel, reason, pair):
    kept, report = clean(make_parallel([pair, ("Key", "钥匙")]))
    assert kept["en"][:] == ["Key"]
    assert {name for name, rows in report.dropped.items() if rows} == {reason}


@pytest.mark.parametrize("pair", KEPT)
def test_terms_glosses_and_sentences_stay(make_parallel, pair):
    kept, report = clean(make_parallel([pair]))
    assert (kept["en"][0], kept["zh"][0]) == pair
    assert sum(report.dropped.values()) == 0


def test_first_of_a_duplicate_pair_is_kept_whatever_its_source(make_parallel):
    rows = datasets.concatenate_datasets(
        [
            make_parallel([("Key", "钥匙"), ("Map", "地图")], "first"),
            make_parallel([("Map", "图"), (" Key", "钥匙 "), ("Key", "钥匙"), ("", "")], "second"),
        ]
    )
    kept, report = clean(rows)
    assert list(zip(kept["en"], kept["zh"], strict=True)) == [("Key", "钥匙"), ("Map", "地图"), ("Map", "图")]
    assert report.as_dict()["sources"] == {
        "first": {"kept": 2, "dropped": {}},
        "second": {"kept": 1, "dropped": {"empty": 1, "duplicate": 2}},
    }


def test_report_adds_up_as_json_and_as_a_table(make_parallel):
    rows = [pair for pairs in DROPPED.values() for pair in pairs] + KEPT + KEPT[:2]
    _, report = clean(make_parallel(rows))
    value = json.loads(json.dumps(report.as_dict()))
    assert value["kept"] == report.kept == len(KEPT)
    assert value["kept"] + sum(value["dropped"].values()) == len(rows)
    assert value["dropped"] == {**{reason: len(pairs) for reason, pairs in DROPPED.items()}, "duplicate": 2}
    table = report.table().splitlines()
    assert table[0].split() == ["source", "kept", *DROPPED, "duplicate"]
    assert table[-1].split() == ["total", str(len(KEPT)), *(str(rows) for rows in value["dropped"].values())]


def test_limits_are_the_callers(make_parallel):
    rows = make_parallel([("one two three", "一二三"), ("one", "一")])
    assert len(clean(rows)[0]) == 2
    kept, report = clean(rows, Limits(max_words=2))
    assert (len(kept), report.dropped["too_long"]) == (1, 1)


def test_several_processes_give_the_same(make_parallel):
    rows = make_parallel([*KEPT, *KEPT, *DROPPED["empty"]])
    alone, report = clean(rows)
    together, same = clean(rows, num_proc=2)
    assert together.to_dict() == alone.to_dict()
    assert same == report
