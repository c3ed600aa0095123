"""The command that serves: its options, the models at hand, and uvicorn around the application."""

import argparse
import logging
import os
import signal
from dataclasses import fields, replace
from pathlib import Path

from marian_distill.command_line import at_least, between
from marian_distill.errors import UserError
from marian_distill.runtime.translator import MAX_THREADS
from marian_distill.serving.limits import Keys, Limits
from marian_distill.serving.models import AT_HAND, Models, find_folders
from marian_distill.signals import stop_request

HELP = {
    "texts": "texts in a request",
    "characters": "characters in a text",
    "body_bytes": "bytes of a request's body",
    "file_bytes": "bytes of a file",
    "alternatives": "further translations of a text",
    "beam_size": "hypotheses that a request may ask for",
    "glossary_terms": "terms of a glossary",
    "waiting_sentences": "sentences in the queue; beyond it the answer is 503",
    "requests_a_minute": "requests a minute from one address; beyond it the answer is 429; 0: any number",
    "seconds": "seconds for a request",
    "file_seconds": "seconds for a file",
    "connections": "open connections",
}


def add_serving_options(parser: argparse.ArgumentParser) -> None:
    """Add which models are served, where, and within which limits."""
    parser.add_argument(
        "--model-dir",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR",
        help=f"model folders, preferred ones first (default: {' and '.join(AT_HAND)})",
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 for the whole network (default: %(default)s)")
    parser.add_argument("--port", type=at_least(0, 65_535), default=5000, help="(default: %(default)s)")
    parser.add_argument("--api-key-file", type=Path, help="only requests with one of its keys, one a line, are let in")
    parser.add_argument("--behind-proxy", action="store_true", help="take clients' addresses from X-Forwarded-For")
    parser.add_argument("--beam-size", type=at_least(1, Limits.beam_size), default=1, help="where none is asked for")
    parser.add_argument("--threads", type=at_least(1, MAX_THREADS), default=os.cpu_count() or 1, help="default: cores")
    parser.add_argument("--batch-tokens", type=at_least(1), default=1024, help="at once (default: %(default)s)")
    limits = parser.add_argument_group("Limits")
    for field in fields(Limits):
        kind = between(0.1, 86_400) if isinstance(field.default, float) else at_least(0)
        limits.add_argument(
            f"--most-{field.name.replace('_', '-')}",
            type=kind,
            default=field.default,
            metavar="N",
            help=f"{HELP[field.name]} (default: %(default)s)",
        )


def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal; what was taken is answered first."""
    try:
        import uvicorn

        from marian_distill.serving.app import create_app
    except ModuleNotFoundError as error:
        raise UserError(f"no package {error.name}: serving needs `--extra=serve`") from error

    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    logging.getLogger("marian_distill.runtime").setLevel(logging.ERROR)  # what it warns of, answers tell
    limits = replace(Limits(), **{field.name: getattr(arguments, f"most_{field.name}") for field in fields(Limits)})
    keys = Keys.of_file(arguments.api_key_file) if arguments.api_key_file else Keys()
    models = open_models(arguments.model_dir, arguments.threads)
    app = create_app(models, limits, keys, arguments.beam_size, arguments.batch_tokens)
    for one in models.describe():
        directions = ", ".join(f"{direction['source']}-{direction['target']}" for direction in one["directions"])
        loaded = one["compute_type"] if one["loaded"] else "not loaded: another one is preferred"
        logging.info("%s: %s, %.1f MB, %s", one["name"], directions, one["bytes"] / 1e6, loaded)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, models.look_now)
    stop_request.how_to_go_on = lambda: "every request that was taken is answered"
    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        log_level="info",
        access_log=False,  # whose texts these are is nobody's business
        proxy_headers=arguments.behind_proxy,
        server_header=False,
        limit_concurrency=limits.connections or None,
        timeout_graceful_shutdown=int(limits.seconds) + 1,
    )


def open_models(folders: list[Path], threads: int) -> Models:
    """The folders that are named, or those at hand."""
    if folders:
        return Models(folders, threads)
    found = find_folders(Path())
    if not found:
        raise UserError(
            f"no model in {' or '.join(AT_HAND)}. `uv run snakemake -s recipes/quickstart/Snakefile --cores all` "
            "trains one in minutes; or give one with --model-dir."
        )
    return Models(found, threads, skip_broken=True)
