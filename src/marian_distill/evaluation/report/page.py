"""The page itself: page.html with its style, its script, its pictures and the data of the report inside."""

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

from marian_distill.evaluation.breakdown import LENGTHS, Part
from marian_distill.evaluation.report.curves import MEASURES, curves_of, read_log, run_of
from marian_distill.evaluation.report.data import LISTED, Compared, Names, Task, gather_tasks, rule_names
from marian_distill.evaluation.report.figures import Line, Point, lines, scatter
from marian_distill.evaluation.report.history import Earlier, history_in, task_key
from marian_distill.evaluation.report.origin import Origin
from marian_distill.evaluation.report.verdict import verdict
from marian_distill.files import atomic_writer

MOST_BYTES = 2_000_000
# More curves than this in one picture are a tangle.
MOST_CURVES = 10


class Page(TypedDict):
    """What page.js draws."""

    about: str
    tasks: list[Task]
    verdicts: list[Names]
    names: dict[str, Names]
    origin: Origin
    history: dict[str, list[Earlier]]


def write_page(
    path: Path,
    compared: Compared,
    origin: Origin,
    runs: Sequence[Path] = (),
    beside: Sequence[Path] = (),
) -> int:
    """Write the report.

    Args:
        path: the HTML file.
        compared: each system's results by its name; the first is the one that the report is about.
        origin: of the results.
        runs: training runs, to show their curves; those of the systems are found by themselves.
        beside: files that this command writes too: they are no earlier results.

    Returns:
        The file's bytes: at most `MOST_BYTES`, for which the lists of sentences are made shorter.
    """
    history = history_in(path.parent, beside)
    training = _training(compared, runs)
    listed = LISTED
    while True:
        tasks = gather_tasks(compared, listed)
        page: Page = {
            "about": next(iter(compared)),
            "tasks": tasks,
            "verdicts": [verdict(task) for task in tasks],
            "names": rule_names(),
            "origin": origin,
            "history": history,
        }
        text = _page(page, training)
        size = len(text.encode())
        if size <= MOST_BYTES or listed == 1:
            break
        listed = listed * 2 // 3
    with atomic_writer(path) as stream:
        stream.write(text)
    return size


def _page(page: Page, training: str) -> str:
    here = files("marian_distill.evaluation.report")
    # A `<` inside a script could end it: JSON may write it otherwise, whatever the texts hold.
    data = json.dumps(page, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    pictures = "".join(_pictures(task, page["history"]) for task in page["tasks"])
    text = (here / "page.html").read_text(encoding="utf-8")
    for mark, content in (
        ("TITLE", escape(page["about"])),
        ("STYLE", (here / "page.css").read_text(encoding="utf-8")),
        ("PICTURES", pictures),
        ("TRAINING", training),
        ("SCRIPT", "".join((here / name).read_text(encoding="utf-8") for name in ("words.js", "page.js"))),
        ("DATA", data),  # the last: its texts may hold the marks of the others
    ):
        text = text.replace(f"<!--{mark}-->", content)
    return text


def _pictures(task: Task, history: dict[str, list[Earlier]]) -> str:
    """The pictures of a task, one below the other; page.js shows those of the task that is chosen."""
    key, metric = task["metric"].lower(), Names(task["metric"], task["metric"])
    heights = [
        (name, one.get("cost"), one["scores"][key], one["intervals"][key]) for name, one in task["systems"].items()
    ]
    parts = []
    if any(cost for _, cost, _, _ in heights):
        size = [Point(name, cost and cost["size_mb"], y, *bounds) for name, cost, y, bounds in heights]
        latency = [Point(name, cost and cost["latency_ms"]["p50"], y, *bounds) for name, cost, y, bounds in heights]
        unknown = any(not cost for _, cost, _, _ in heights)
        parts += [
            _figure(
                Names("Quality against size on disk", "质量与磁盘大小"),
                scatter(size, Names("megabytes", "MB"), metric),
                Names("Dotted: size not known.", "虚线：大小未知。") if unknown else Names("", ""),
            ),
            _figure(
                Names("Quality against latency", "质量与延迟"),
                scatter(latency, Names("milliseconds a sentence, median", "每句毫秒数（中位数）"), metric),
                Names("Dotted: not measured.", "虚线：未测量。") if unknown else Names("", ""),
            ),
        ]
    elif len(heights) > 1:
        level = [Point(name, None, y, *bounds) for name, _, y, bounds in heights]
        parts.append(
            _figure(
                Names("Quality", "质量"),
                scatter(level, Names("", ""), metric),
                Names("Sizes and latencies were not measured (--cost).", "未测大小与延迟（--cost）。"),
            )
        )
    parts.append(_by_length(task, metric))
    if earlier := history.get(task_key(task["test_file"], task["direction"])):
        parts.append(_over_time(earlier, metric))
    return f'<div class="pictures" hidden>{"".join(parts)}</div>'


def _by_length(task: Task, metric: Names) -> str:
    classes = [label for label in LENGTHS if any(label in one["lengths"] for one in task["systems"].values())]
    curves = [
        Line(name, [(classes.index(label), *_bounded(part)) for label, part in one["lengths"].items()])
        for name, one in list(task["systems"].items())[:MOST_CURVES]
    ]
    return _figure(
        Names("Quality by length", "不同长度的质量"),
        lines(curves, Names("words of the source", "原文词数"), metric, classes),
        Names("Two Chinese characters count as a word.", "两个汉字算一个词。"),
    )


def _bounded(scored: Part | Earlier) -> tuple[float, float, float]:
    """A score and its interval."""
    low, high = scored["interval"]
    return scored["score"], low, high


def _over_time(earlier: Sequence[Earlier], metric: Names) -> str:
    dates = sorted({one["made_at"][:16].replace("T", " ") for one in earlier})[-8:]
    by_system: dict[str, list[tuple[float, float, float, float]]] = {}
    for one in earlier:
        date = one["made_at"][:16].replace("T", " ")
        if date in dates:
            points = by_system.setdefault(Path(one["system"]).name, [])
            points.append((dates.index(date), *_bounded(one)))
    curves = [Line(name, points) for name, points in list(by_system.items())[:MOST_CURVES]]
    return _figure(
        Names("Earlier results", "历史结果"),
        lines(curves, Names("when (UTC)", "时间（UTC）"), metric, [date[5:] for date in dates]),
        Names("Files beside this report, the same test set.", "与本报告同一目录中的结果，测试集相同。"),
    )


def _training(compared: Compared, runs: Sequence[Path]) -> str:
    """The curves of the runs, a picture a measure."""
    folders: dict[Path, None] = dict.fromkeys(runs)
    for results in compared.values():
        folder = results[0].report.get("model_dir") if results else None
        if folder and (run := run_of(Path(folder))):
            folders[run] = None
    curves = {run.name: curves_of(read_log(run)) for run in folders}
    pictures = []
    for key, (english, chinese, unit) in MEASURES.items():
        drawn = [
            Line(run, [(moment.step, moment.value, moment.value, moment.value) for moment in found[key]])
            for run, found in list(curves.items())[:MOST_CURVES]
            if key in found
        ]
        if drawn:
            y_label = Names(unit, unit)
            pictures.append(
                _figure(
                    Names(english[:1].upper() + english[1:], chinese),
                    lines(drawn, Names("training steps", "训练步数"), y_label),
                    Names("", ""),
                )
            )
    return "".join(pictures)


def _figure(title: Names, picture: str, note: Names) -> str:
    return (
        f"<figure><figcaption><b>{_both(title)}</b> {_both(note)}</figcaption>"
        f'<div class="wide">{picture}</div></figure>'
    )


def _both(said: Names) -> str:
    return (
        f'<span class="en" lang="en">{escape(said.english)}</span>'
        f'<span class="zh" lang="zh">{escape(said.chinese)}</span>'
    )
