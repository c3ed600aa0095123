"""A report of three systems on two small test sets, with texts that would be HTML if they were let."""

from functools import cache
from pathlib import Path

from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.report.origin import origin_of
from marian_distill.evaluation.report.page import write_page
from marian_distill.evaluation.runs import score_translations

ATTACK = "</script><script>window.attacked = true</script><img src=x onerror='window.attacked = true'>"
PAIRS = [
    ("The ticket is 12.50 yuan.", "票价是12.50元。"),
    ("Where is the station?", "车站在哪里？"),
    ("I would like a latte without sugar, please.", "我要一杯不加糖的拿铁。"),
    ("WHERE IS THE TOILET", "厕所在哪里？"),
    ("umbrella", "雨伞"),
    (f"Say {ATTACK} now.", f"现在说{ATTACK}。"),
    ("<!--DATA--> is a mark.", "<!--DATA-->是标记。"),
    ("Flight MU587 leaves at 8:45.", "MU587航班8:45起飞。"),
]
RIGHT = [chinese for _, chinese in PAIRS]
CLOSE = [text.replace("车站", "火车站").replace("12.50", "15.20").replace("8:45", "8:54") for text in RIGHT]
WRONG = ["", "Where is the station?", "我我我我我我我我我我我我我我", "廁所,在哪里?", "雨", ATTACK, "是", "起飞。"]
NOTICES = EvaluationSet(Path("notices.tsv"), [((english,), (chinese,)) for english, chinese in PAIRS])
SHORT = NOTICES._replace(path=Path("short.tsv"), rows=NOTICES.rows[:5])
SYSTEMS = {"ours": CLOSE, "theirs": WRONG, "<i>expert</i>": RIGHT}


@cache
def results_of(name):
    texts = SYSTEMS[name]
    return score_translations(
        {(NOTICES.path, "en-zh"): texts, (SHORT.path, "en-zh"): texts[:5]}, [NOTICES, SHORT], name
    )


def compared(*names):
    return {name: results_of(name) for name in names or SYSTEMS}


def write_report(path: Path, **options) -> int:
    results = compared()
    origin = origin_of([result for one in results.values() for result in one])
    return write_page(path, results, origin, **options)
