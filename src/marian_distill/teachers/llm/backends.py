"""Which model answers: the options that commands share, and the backend that they name."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marian_distill.command_line import at_least, between
from marian_distill.errors import UserError
from marian_distill.teachers.llm.teacher import Backend

BACKENDS = ("auto", "transformers", "ctranslate2")


def add_llm_options(parser: argparse.ArgumentParser) -> None:
    """Which model answers, and how it is asked (docs/llm_teacher.md)."""
    group = parser.add_argument_group("a language model as teacher")
    group.add_argument("--teacher-llm", help="hub name, folder or CTranslate2 folder; the server's name for its model")
    group.add_argument("--teacher-endpoint", metavar="URL", help="an OpenAI-compatible server, up to and with /v1")
    group.add_argument(
        "--backend", choices=BACKENDS, default="auto", help="auto: ctranslate2 where it has a model.bin"
    )
    group.add_argument("--batch-size", type=at_least(1), help="answers made at once; default: as many as pay and fit")
    group.add_argument("--concurrency", type=at_least(1, 4096), default=32, help="requests on their way at once")
    group.add_argument("--requests-per-second", type=between(0, 100_000), default=0.0, help="default: no limit")
    group.add_argument("--timeout", type=between(0.01, 3600), default=120.0, help="seconds that a request may take")
    group.add_argument("--retries", type=at_least(0, 100), default=6, help="of a request that failed for a while")
    group.add_argument("--api-key-variable", metavar="NAME", default="OPENAI_API_KEY", help="environment variable")
    group.add_argument("--no-log-probabilities", action="store_true", help="for servers that refuse to give them")


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Where a model on this machine computes, and in what."""
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--compute-type", default="default")
    parser.add_argument("--threads", type=at_least(0, 256), default=0, help="default: one a core")


def llm_backend(arguments: argparse.Namespace, chat_template_kwargs: Mapping[str, Any]) -> Backend:
    """What answers: a server, CTranslate2 or transformers."""
    if arguments.teacher_endpoint is not None:
        from marian_distill.teachers.llm.endpoint import Endpoint

        return Endpoint(
            arguments.teacher_endpoint,
            arguments.teacher_llm,
            api_key=os.environ.get(arguments.api_key_variable, ""),
            concurrency=arguments.concurrency,
            requests_per_second=arguments.requests_per_second,
            timeout=arguments.timeout,
            retries=arguments.retries,
            log_probabilities=not arguments.no_log_probabilities,
            seed=arguments.seed,
            chat_template_kwargs=chat_template_kwargs,
        )
    from marian_distill.teachers.llm.local import LocalBackend, load_chat_tokenizer

    has_model_bin = Path(arguments.teacher_llm, "model.bin").is_file()
    if arguments.backend == "ctranslate2" and not has_model_bin:
        raise UserError(
            f"--teacher-llm {arguments.teacher_llm}: no model.bin; make it with ct2-transformers-converter"
        )
    tokenizer = load_chat_tokenizer(arguments.teacher_llm)
    options = (arguments.device, arguments.compute_type, arguments.threads, arguments.seed, arguments.batch_size)
    if has_model_bin and arguments.backend != "transformers":
        from marian_distill.teachers.llm.ctranslate2_engine import CTranslate2Engine

        engine: Any = CTranslate2Engine(Path(arguments.teacher_llm), tokenizer, *options)
    else:
        from marian_distill.teachers.llm.transformers_engine import TransformersEngine

        engine = TransformersEngine(arguments.teacher_llm, tokenizer, *options)
    return LocalBackend(engine, tokenizer, chat_template_kwargs)
