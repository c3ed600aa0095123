from marian_distill.text.overlap import find_overlaps, normalised

ENGLISH = "My suitcase is two kilos overweight, what is the extra charge?"
CHINESE = "我的箱子超重两公斤，要补多少钱？"


def rows(*pairs):
    return [(english, chinese, "corpus") for english, chinese in pairs]


def overlap(test, *training):
    return find_overlaps({"test": test}, rows(*training))[1]["test"]


def test_case_punctuation_spaces_and_width_do_not_hide_an_overlap():
    found = overlap(
        [(ENGLISH, CHINESE)],
        ("MY SUITCASE is two kilos overweight — what is the extra charge", "我的箱子超重两公斤, 要补多少钱?"),
    )
    assert found["pairs"] == 1
    assert found["exact"] == {"en": 1, "zh": 1}
    assert found["near"] == {"en": 0, "zh": 0}
    assert found["examples"][0]["similarity"] == 1
    assert found["examples"][0]["origin"] == "corpus"
    assert normalised("ＣＡ１２ －３!") == "ca123"


def test_a_side_alone_is_told_from_a_pair():
    found = overlap([(ENGLISH, CHINESE)], (ENGLISH, "别的"), ("Something else", CHINESE))
    assert found["pairs"] == 0
    assert found["exact"] == {"en": 1, "zh": 1}


def test_a_small_change_is_near_and_a_large_one_is_not():
    found = overlap(
        [(ENGLISH, CHINESE)],
        ("My suitcase is two kilos overweight, what's the extra charge?", "我的箱子超重两公斤了，要补多少钱？"),
    )
    assert found["exact"] == {"en": 0, "zh": 0}
    assert found["near"] == {"en": 1, "zh": 1}
    assert all(0.8 <= example["similarity"] < 1 for example in found["examples"])
    found = overlap(
        [(ENGLISH, CHINESE)], ("My backpack is two kilos over, is there a charge?", "我的背包超重两公斤，收钱吗？")
    )
    assert found["near"] == {"en": 0, "zh": 0}
    assert found["examples"] == []


def test_near_texts_are_all_found_whichever_ngrams_are_rare():
    """Against every pair compared in full: no near text may be lost to the index."""
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    tests = [(" ".join(words[k:] + words[:k]), "甲") for k in range(len(words))]
    training = [(" ".join([*words[:k], "x", *words[k:]]), "乙") for k in range(len(words))]

    def jaccard(a, b):
        grams = [{t[i : i + 4] for i in range(len(t) - 3)} for t in (normalised(a), normalised(b))]
        return len(grams[0] & grams[1]) / len(grams[0] | grams[1])

    expected = sum(any(jaccard(test, text) >= 0.8 for text, _ in training) for test, _ in tests)
    assert expected > 0
    assert overlap(tests, *training)["near"]["en"] == expected


def test_each_file_has_its_own_report_and_rows_are_counted():
    count, reports = find_overlaps(
        {"a": [(ENGLISH, CHINESE)], "b": [("Keep the receipt.", "收好小票。"), ("!?", "？")]},
        rows((ENGLISH, CHINESE), ("One more row", "又一行"), ("", "")),
    )
    assert count == 3
    assert (reports["a"]["sentences"], reports["a"]["pairs"]) == (1, 1)
    assert (reports["b"]["sentences"], reports["b"]["exact"]["en"]) == (2, 0)


def test_a_text_without_letters_matches_nothing():
    assert overlap([("...", "……")], ("!!!", "？"))["exact"] == {"en": 0, "zh": 0}
