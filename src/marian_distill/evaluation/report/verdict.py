"""A task's result in one sentence: which model, which direction, against what, by how much, how sure."""

from marian_distill.evaluation.comparison import SIGNIFICANT
from marian_distill.evaluation.report.data import Names, SystemResult, Task

LANGUAGES = {"en": Names("English", "英"), "zh": Names("Chinese", "中")}


def verdict(task: Task) -> Names:
    """The sentence about the first system of a task, held against the best of the others."""
    source, target = (LANGUAGES[language] for language in task["direction"].split("-"))
    first, *others = task["systems"]
    key = task["metric"].lower()
    ours = task["systems"][first]
    score, low, high = map(_number, (ours["scores"][key], *ours["intervals"][key]))
    english = (
        f"{first} translates {task['name']} from {source.english} into {target.english} with {task['metric']} {score} "
        f"(95 % interval {low} to {high})"
    )
    chinese = (
        f"{first} 在 {task['name']}（{source.chinese}译{target.chinese}）上的 {task['metric']} 为 {score}"
        f"（95 % 区间 {low} 至 {high}）"
    )
    after = _standing(task, first, others) if others else _cost(ours)
    return Names(f"{english}{after.english}.", f"{chinese}{after.chinese}。")


def _standing(task: Task, first: str, others: list[str]) -> Names:
    """Where the first system stands among all, and how far from the best of the others."""
    key = task["metric"].lower()
    scores = {name: system["scores"][key] for name, system in task["systems"].items()}
    best = max(others, key=lambda name: scores[name])
    against = task["systems"][first]["against"][best][key]
    ahead = against["difference"] >= 0
    by, *interval = (value if ahead else -value for value in (against["difference"], *against["interval"]))
    low, high = map(_number, sorted(interval))
    place = Names("", "")
    if len(scores) > 2:
        rank = 1 + sum(score > scores[first] for score in scores.values())
        place = Names(f"number {rank} of {len(scores)} systems, ", f"{len(scores)} 个系统中第 {rank}，")
    sure = against["p_value"] < SIGNIFICANT
    chance = Names("more than chance", "不是偶然") if sure else Names("which may be chance", "可能是偶然")
    evidence = "p < 0.001" if against["p_value"] < 0.001 else f"p = {against['p_value']:.3f}"
    return Names(
        f": {place.english}{by:.1f} points ({low} to {high}) {'ahead of' if ahead else 'behind'} {best}, "
        f"{chance.english} ({evidence}, {task['sentences']:,} sentences)",
        f"：{place.chinese}{'领先' if ahead else '落后于'} {best} {by:.1f} 分（{low} 至 {high}），"
        f"{chance.chinese}（{evidence}，{task['sentences']:,} 句）",
    )


def _number(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _cost(system: SystemResult) -> Names:
    cost = system.get("cost")
    if not cost:
        return Names("", "")
    latency, size = cost["latency_ms"]["p50"], cost["size_mb"]
    return Names(f", in {latency:.1f} ms a sentence and {size:.1f} MB", f"，每句 {latency:.1f} 毫秒，{size:.1f} MB")
