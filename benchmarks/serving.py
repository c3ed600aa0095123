"""How many requests does the server answer, how long does each wait, and does its memory stay where it is?

    uv run benchmarks/serving.py                                          the models at hand
    uv run benchmarks/serving.py --quick                                  a second a point
    uv run benchmarks/serving.py --model-dir outputs/mine/ct2-int8 --memory-requests 100000

Clients keep one connection each and send a sentence as soon as the last one is answered; server and clients share this
machine. Ours is held against the same server with one call of the engine a request (batches of one sentence).
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import numpy as np
from charts import bars, lines
from machine import machine, title

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json

SCRIPT = Path(__file__).parents[1] / "scripts" / "serve.py"
WAYS = {"ours": [], "one call a request": ["--batch-tokens", "1"]}
UNLIMITED = ["--port", "0", "--most-requests-a-minute", "0"]
LOOKS = 20  # at the memory, while requests are answered


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--model-dir", type=Path, nargs="+", default=[], help="default: the models at hand")
    parser.add_argument("--clients", type=at_least(1, 1024), nargs="+", default=[1, 8, 64, 256])
    parser.add_argument("--seconds", type=at_least(1), default=5, help="a point")
    parser.add_argument("--rounds", type=at_least(1), default=3)
    parser.add_argument("--memory-requests", type=at_least(0), default=20_000, help="0: not measured")
    parser.add_argument("--beam-size", type=at_least(1, 10), default=1)
    parser.add_argument("--threads", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument(
        "--quick", action="store_true", help="one round of a second a point, 2,000 requests for memory"
    )
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--json", type=Path, help="default: serving.json in --output-dir")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.memory_requests = 1, 1, 2000
    arguments.json = arguments.json or arguments.output_dir / "serving.json"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    sentences = spoken_sentences()
    rounds: dict[str, list[dict]] = {f"{n} clients, {way}": [] for n in arguments.clients for way in WAYS}
    for number in range(arguments.rounds):
        for way, options in WAYS.items():
            with server(arguments, options) as (port, process):
                asyncio.run(load(port, sentences, 8, seconds=0.5))  # the first requests are slower
                for clients in arguments.clients:
                    found = point(port, process, sentences, clients, arguments.seconds)
                    rounds[f"{clients} clients, {way}"].append(found)
                    print(f"round {number + 1}, {clients} clients, {way}: {told(found)}", file=sys.stderr)
    report = {"machine": machine(), "beam_size": arguments.beam_size, "points": summary(rounds)}
    if arguments.memory_requests:
        report["memory"] = memory(arguments, sentences)
    write_json(arguments.json, report)
    draw(report, rounds, arguments.json)
    print(table(report))


@contextmanager
def server(arguments: Namespace, options: list[str]) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port and its process id."""
    command = [sys.executable, str(SCRIPT), *UNLIMITED, "--threads", str(arguments.threads), *options]
    command += ["--beam-size", str(arguments.beam_size)]
    command += ["--model-dir", *map(str, arguments.model_dir)] if arguments.model_dir else []
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said = ""
    for line in process.stderr or ():
        said = line
        if match := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            break
    else:
        raise UserError(f"the server: {said.strip()}")
    try:
        yield int(match[1]), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def spoken_sentences(count: int = 600) -> list[bytes]:
    """Requests of rule-made sentences about money, coffee and travel, as bytes."""
    from marian_distill.augment import examples

    domains = [list(examples(domain, "train", count // 3, seed=1)) for domain in ("money", "coffee", "travel")]
    return [request(example.en) for trio in zip(*domains, strict=True) for example in trio]


def request(text: str) -> bytes:
    """A request to translate English text."""
    body = json.dumps({"text": text, "source": "en", "target": "zh"}).encode()
    head = "POST /api/translate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def load(port: int, requests: list[bytes], clients: int, seconds: float = 0.0, count: int = 0) -> list[float]:
    """Seconds that each answer took; until the time is over, or so many are answered."""
    queue, times = cycle(requests), []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while len(times) < count if count else time.perf_counter() < end:
            start = time.perf_counter()
            writer.write(next(queue))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise UserError(f"the server answers {head.partition(chr(13).encode())[0].decode()}")
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return times


async def facts_of(port: int) -> dict[str, float]:
    """The server's own counters."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return {name: float(value) for name, value in re.findall(r"^distill_zh_en_(\w+) (\S+)$", text, re.MULTILINE)}


def point(port: int, process: int, requests: list[bytes], clients: int, seconds: float) -> dict[str, float]:
    """Requests a second; times of answers, of batches, and of the processor for a request, in milliseconds."""
    before, used = asyncio.run(facts_of(port)), processor_seconds(process)
    start = time.perf_counter()
    times = asyncio.run(load(port, requests, clients, seconds))
    took = time.perf_counter() - start
    after, used = asyncio.run(facts_of(port)), processor_seconds(process) - used
    batches = after["engine_seconds_count"] - before["engine_seconds_count"]
    engine = 1000 * (after["engine_seconds_sum"] - before["engine_seconds_sum"]) / batches
    p50, p95, p99 = 1000 * np.percentile(times, [50, 95, 99])
    return {
        "requests_per_second": len(times) / took,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "processor_ms": 1000 * used / len(times),
        "batch_ms": engine,
        "batch_sentences": (after["batch_sentences_sum"] - before["batch_sentences_sum"]) / batches,
    }


def summary(rounds: dict[str, list[dict]]) -> dict[str, dict[str, float]]:
    """The median of the rounds."""
    return {
        name: {key: round(float(np.median([one[key] for one in found])), 3) for key in found[0]}
        for name, found in rounds.items()
    }


def memory(arguments: Namespace, requests: list[bytes]) -> list[dict[str, float]]:
    """Resident megabytes of a server after so many requests."""
    with server(arguments, []) as (port, process):
        looks, answered = [], 0
        counts = [1000, *(arguments.memory_requests * (look + 1) // LOOKS for look in range(LOOKS))]
        for count in sorted({count for count in counts if count >= 1000}):
            answered += len(asyncio.run(load(port, requests, 16, count=count - answered)))
            looks.append({"requests": answered, "resident_mb": resident_mb(process)})
        return looks


def processor_seconds(process: int) -> float:
    """That a process has used of all cores (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: int) -> float:
    """Resident memory of a process (Linux)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return round(int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024, 1)


def told(found: dict[str, float]) -> str:
    """A point in a line."""
    return (
        f"{found['requests_per_second']:.0f} requests/s, {found['processor_ms']:.2f} ms of processor each, "
        f"p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms, "
        f"{found['batch_sentences']:.1f} sentences a batch of {found['batch_ms']:.1f} ms"
    )


def draw(report: dict, rounds: dict[str, list[dict]], path: Path) -> None:
    """A bar a point, and the memory."""
    described = title(report["machine"])
    speeds = {name: [one["requests_per_second"] for one in found] for name, found in rounds.items()}
    bars(speeds, "requests a second", path.with_suffix(".png"), described)
    if looks := report.get("memory"):
        resident = {"server": [look["resident_mb"] for look in looks]}
        label = f"share of {looks[-1]['requests']:,} requests, in twentieths"
        lines(resident, label, "resident MB", path.with_name(f"{path.stem}_memory.png"), described)


def table(report: dict) -> str:
    """The points as a Markdown table."""
    columns = {
        "requests/s": ("requests_per_second", 0),
        "processor ms": ("processor_ms", 2),
        "p50 ms": ("p50_ms", 1),
        "p95 ms": ("p95_ms", 1),
        "p99 ms": ("p99_ms", 1),
        "ms a batch": ("batch_ms", 1),
        "sentences a batch": ("batch_sentences", 1),
    }
    rows = [f"| clients | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, found in report["points"].items():
        values = (f"{found[key]:.{digits}f}" for key, digits in columns.values())
        rows.append(f"| {name} | {' | '.join(values)} |")
    rows += [f"{look['requests']:,} requests: {look['resident_mb']} MB" for look in report.get("memory", [])]
    return "\n".join(rows)


if __name__ == "__main__":
    run_command(main)
