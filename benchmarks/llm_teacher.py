"""How fast does a language model translate a corpus, beside plain `generate` of transformers, at the same quality?

    uv run benchmarks/llm_teacher.py --model-dir MODEL --ct2-dir MODEL_CT2 --test-file TEST.tsv
    uv run benchmarks/llm_teacher.py --model-dir MODEL --test-file TEST.tsv --sentences 32 --threads 1    an impression

Every way puts the same texts to the same model with the same prompt, greedily. The ways take turns, round after round.
Plain `generate` gets whole prompts, padded, in the order of the file. Besides seconds, the processor's own are told,
of all threads: other programs on the machine change those little. BLEU and chrF are against the file's references.
"""

import os
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from machine import machine

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.evaluation.evaluation_sets import read_test_file
from marian_distill.evaluation.metrics import bleu, metric_for
from marian_distill.files import write_json
from marian_distill.languages import DIRECTIONS, languages_of
from marian_distill.teachers.llm.answers import clean_answer
from marian_distill.teachers.llm.ctranslate2_engine import CTranslate2Engine
from marian_distill.teachers.llm.local import LocalBackend, load_chat_tokenizer
from marian_distill.teachers.llm.prompt import Prompt, read_prompt
from marian_distill.teachers.llm.teacher import TextTeacher
from marian_distill.teachers.llm.transformers_engine import TransformersEngine

MOST_TOKENS = 64
Translate = Callable[[list[str]], list[str]]


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--model-dir", required=True, help="a chat model: folder or name of the hub")
    parser.add_argument("--ct2-dir", type=Path, help="the same made by ct2-transformers-converter --quantization int8")
    parser.add_argument("--test-file", type=Path, required=True, help="TSV with the header en<TAB>zh")
    parser.add_argument("--direction", choices=DIRECTIONS, default="en-zh")
    parser.add_argument("--prompt", type=Path, default=Path("prompts/chat.yaml"))
    parser.add_argument("--sentences", type=at_least(1), default=256)
    parser.add_argument("--plain-batch", type=at_least(1), default=16)
    parser.add_argument("--rounds", type=at_least(1), default=3)
    parser.add_argument("--threads", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    pairs = read_test_file(arguments.test_file)[: arguments.sentences]
    source, target = languages_of(arguments.direction)
    sides = dict(zip(("en", "zh"), map(list, zip(*pairs, strict=True)), strict=True))
    ways = ways_of(arguments)
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    said: dict[str, list[str]] = {}
    for _ in range(arguments.rounds):
        for name, translate in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            said[name] = translate(sides[source])
            rounds[name].append({"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu})
    metric = metric_for(target)
    report: dict[str, Any] = {"machine": machine(), "threads": arguments.threads, "rounds": rounds, "ways": {}}
    for name, times in rounds.items():
        seconds, cpu = (median(one[kind] for one in times) for kind in ("seconds", "cpu_seconds"))
        report["ways"][name] = {
            "sentences_per_second": round(len(pairs) / seconds, 2),
            "sentences_per_cpu_second": round(len(pairs) / cpu, 2),
            "bleu": bleu(said[name], sides[target], target)["score"],
            metric.name.lower(): metric.corpus(said[name], sides[target])["score"],
            "same_as_generate": sum(map(str.__eq__, said[name], said["generate"])) / len(pairs),
        }
        print(name, report["ways"][name], flush=True)
    report["ratios"] = {
        name: {kind: round(way[kind] / report["ways"]["generate"][kind], 2) for kind in way if kind.startswith("sent")}
        for name, way in report["ways"].items()
    }
    write_json(arguments.output_dir / "llm_teacher.json", report)
    print(report["ratios"])


def ways_of(arguments: Namespace) -> dict[str, Translate]:
    """The ways by name, each with the model loaded; plain `generate` shares ours."""
    prompt, tokenizer = read_prompt(arguments.prompt), load_chat_tokenizer(arguments.model_dir)
    tokenizer.padding_side = "left"
    engine = TransformersEngine(arguments.model_dir, tokenizer, threads=arguments.threads)
    ways = {
        "generate": plainly(engine.model, tokenizer, prompt, arguments),
        "ours_transformers": ours(engine, tokenizer, prompt, arguments),
    }
    if arguments.ct2_dir:
        int8 = CTranslate2Engine(arguments.ct2_dir, tokenizer, threads=arguments.threads)
        ways["ours_ctranslate2"] = ours(int8, tokenizer, prompt, arguments)
    return ways


def ours(engine: Any, tokenizer: Any, prompt: Prompt, arguments: Namespace) -> Translate:
    backend = LocalBackend(engine, tokenizer, prompt.chat_template_kwargs)
    teacher = TextTeacher(backend, prompt, arguments.direction, MOST_TOKENS)
    return lambda texts: [found[0][0] for found in teacher.translate_n_best(texts, 1)]


def plainly(model: Any, tokenizer: Any, prompt: Prompt, arguments: Namespace) -> Translate:
    """What a person writes first: the chat template, padding, `generate`."""

    @torch.inference_mode()
    def translate(texts: list[str]) -> list[str]:
        found: list[str] = []
        for first in range(0, len(texts), arguments.plain_batch):
            batch = texts[first : first + arguments.plain_batch]
            rendered = tokenizer.apply_chat_template(
                [prompt.conversation(text, arguments.direction) for text in batch],
                add_generation_prompt=True,
                tokenize=False,
                **prompt.chat_template_kwargs,
            )
            inputs = tokenizer(rendered, return_tensors="pt", padding=True, add_special_tokens=False)
            made = model.generate(**inputs, max_new_tokens=MOST_TOKENS, do_sample=False, repetition_penalty=1.0)
            answers = tokenizer.batch_decode(made[:, inputs.input_ids.shape[1] :], skip_special_tokens=True)
            found += [clean_answer(answer, text) for answer, text in zip(answers, batch, strict=True)]
        return found

    return translate


if __name__ == "__main__":
    run_command(main)
