import pytest

from marian_distill.errors import UserError
from marian_distill.files import check_unedited
from marian_distill.text.audit import audit, write_suspects


def hints(english: str, chinese: str) -> set[str]:
    return {hint for suspect in audit([(english, chinese, "x")]) for hint in suspect.hints}


@pytest.mark.parametrize(
    ("english", "chinese", "hint"),
    [
        ("Save", "Save", "untranslated_copy"),
        ("Save the whole file now", "保存 the whole file 到这里", "copied_words"),
        ("Save the file", "guardar", "no_chinese"),
        ("保存这个文件吧", "保存文件", "chinese_as_english"),
        ("ファイルをほぞんする", "保存文件", "wrong_language"),
        ("Сохранить файл", "保存文件", "wrong_language"),
        ("Please save the file", "ファイルをほぞんしてください", "wrong_language"),
        ("Save the file", "파일을 저장하십시오", "wrong_language"),
        ("Je ne sais pas où est le livre que vous avez lu.", "我不知道你读的书在哪里。", "wrong_language"),
        ("Ich weiß nicht, wo das Buch ist.", "我不知道书在哪里。", "wrong_language"),
        ("It costs $19.99.", "价格是$91.99。", "number_mismatch"),
        ("Call 12345 now", "现在拨打54321", "number_mismatch"),
        ("Yes.", "是的，我完全同意你刚才说的每一句话，我们走吧。", "unequal_lengths"),
        ("a", "一个", "too_short"),
        ("I don't know.", "我唔知。", "cantonese"),
        ("What he said was true.", "其言信矣，吾知之也。", "classical"),
    ],
)
def test_each_hint_finds_its_kind(english, chinese, hint):
    assert hint in hints(english, chinese)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("I like coffee.", "我喜欢咖啡。"),
        ("Two cups of coffee, please.", "请来2杯咖啡。"),
        ("The total is $1,234.56.", "总共1,234.56美元。"),
        ("Open GitHub in Firefox.", "在Firefox中打开GitHub。"),
        ("He was born in nineteen eighty.", "他出生于1980年。"),
        ("This is his own business.", "这是他自己的事，其他人不要管。"),
        ("Café and naïve", "咖啡馆和天真"),
        ("He lives in La Paz, not in El Paso or Las Vegas.", "他住在拉巴斯，不在埃尔帕索或拉斯维加斯。"),
        ("Das Boot is a film.", "《从海底出击》是一部电影。"),
        ("Sakura (さくら) blooms in spring.", "樱花（さくら）在春天开放。"),
    ],
)
def test_a_good_pair_has_no_hint(english, chinese):
    assert hints(english, chinese) == set()


def test_scores_add_up_and_name_the_row():
    rows = [("I like tea.", "我喜欢茶。", "good"), ("12345 ok", "12345 ok", "bad"), ("I see.", "我睇到。", "yue")]
    copy, cantonese = audit(rows)
    assert (copy.row, copy.source, copy.score, copy.hints[0]) == (2, "bad", 1.0, "untranslated_copy")
    assert (cantonese.row, cantonese.hints, cantonese.score) == (3, ("cantonese",), 0.7)


def test_what_an_audit_wrote_is_known_as_its_own_also_when_it_was_killed_between_report_and_table(tmp_path):
    table = tmp_path / "suspects.csv"
    write_suspects(table, audit([("I see.", "我睇到。", "yue")]), {})
    earlier = table.read_text(encoding="utf-8")
    write_suspects(table, audit([("12345 ok", "12345 ok", "bad")]), {})
    check_unedited(table)
    table.write_text(earlier, encoding="utf-8")  # the new report is there, the new table not yet
    check_unedited(table)
    table.write_text(earlier + "by hand", encoding="utf-8")
    with pytest.raises(UserError, match="was edited"):
        check_unedited(table)
