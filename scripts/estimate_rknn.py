"""Estimate time and memory of a model on a Rockchip NPU before it is trained: a lower bound, from published limits.

    uv run -s scripts/estimate_rknn.py student_configs/*.json
    uv run -s scripts/estimate_rknn.py outputs/student/config.json --dtype w8a8 --kv-cache --json estimate.json

Configs of all kinds that have an RKNN export; the others are left out. A liquid decoder keeps its state with
--kv-cache or without.

A sentence is 16 source and 12 target tokens, greedily. The target is 30 ms and 100 MB; the last column is what each
call may cost besides, in ms (starting it, converting its inputs), which nothing published tells: no board has run any.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import write_json

if TYPE_CHECKING:
    from marian_distill.export.estimate import Estimate


def parse_arguments() -> argparse.Namespace:
    from marian_distill.export.estimate import CHIPS, DTYPES  # takes seconds

    parser = command_parser(__doc__)
    parser.add_argument("configs", type=Path, nargs="+", help="student configs, or config.json of models")
    parser.add_argument("--target", default="rv1126b", choices=tuple(CHIPS))
    parser.add_argument("--dtype", choices=DTYPES, help="default: all")
    parser.add_argument("--kv-cache", action="store_true", help="a decoder with key and value caches")
    parser.add_argument("--source-length", type=at_least(12), default=64, help="of the graphs (default: 64)")
    parser.add_argument("--target-length", type=at_least(12), default=64, help="of the graphs (default: 64)")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    return parser.parse_args()


def row(name: str, one: "Estimate") -> str:
    encoder, step = one["encoder"], one["step"]
    verdict = f"{one['left_for_a_call_milliseconds']:+.2f}" if one["meets_target"] else "no"
    return (
        f"{name:<24}{one['dtype']:<8}{encoder['multiply_adds'] / 1e6:9.0f}{encoder['bytes'] / 1e6:8.1f}"
        f"{encoder['milliseconds']:7.2f}{step['multiply_adds'] / 1e6:9.1f}{step['bytes'] / 1e6:8.1f}"
        f"{step['milliseconds']:7.2f}{one['sentence_milliseconds']:10.1f}{one['megabytes']:7.1f}{verdict:>9}"
    )


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.export.estimate import DTYPES, estimate
    from marian_distill.students.kind import check_export, read_student_config

    lengths = arguments.source_length, arguments.target_length
    configs = {}
    for path in arguments.configs:
        kind, config = read_student_config(path)
        if "rknn" in kind.exports:
            configs[path.parent.name if path.name == "config.json" else path.stem] = config
        elif len(arguments.configs) == 1:
            check_export(kind, "rknn", str(path))
        else:
            print(f"{path}: left out, a {kind.name} student has no rknn export", file=sys.stderr)
    form = "with key and value caches" if arguments.kv_cache else "stateless"
    print(f"{arguments.target}, decoder {form}; M: million multiply-adds, MB read, ms at the least")
    head = ("M", "MB", "ms", "M", "MB", "ms", "sentence", "MB", "a call")
    widths = (9, 8, 7, 9, 8, 7, 10, 7, 9)
    print(f"{'':<32}{'encoder call':^24}{'decoder step':^24}")
    print(f"{'':<32}" + "".join(f"{name:>{width}}" for name, width in zip(head, widths, strict=True)))
    report = {}
    for name, config in configs.items():
        for dtype in (arguments.dtype,) if arguments.dtype else DTYPES:
            one = estimate(config, dtype, arguments.kv_cache, *lengths, arguments.target)
            report.setdefault(name, []).append(one)
            print(row(name, one))
    fits = [
        (one["megabytes"], name, one["dtype"])
        for name, found in report.items()
        for one in found
        if one["meets_target"]
    ]
    if fits:
        (smallest, *small), (largest, *large) = min(fits), max(fits)
        print(
            f"within 30 ms and 100 MB: {' '.join(small)} ({smallest:.1f} MB) to {' '.join(large)} ({largest:.1f} MB)"
        )
    else:
        print("none of these is within 30 ms and 100 MB")
    if arguments.json:
        write_json(arguments.json, report)


if __name__ == "__main__":
    run_command(main)
