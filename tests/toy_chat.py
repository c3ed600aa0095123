"""A tiny chat model of Qwen's classes with random weights and a chat template; a server of chat completions."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from toy_model import PAIRS

TEXTS = [text for pair in PAIRS for text in pair]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_toy_chat(folder: Path, seed: int = 0) -> None:
    """A Qwen2 folder: two layers, ordinary tokenizer, chat template."""
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    from marian_distill.text.byte_bpe import train_byte_bpe

    tokenizer_file = train_byte_bpe(TEXTS, folder, 400)
    special = {"eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizer_file.library, **special)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.5,  # so that what is said hangs on the prompt
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="session")
def toy_chat_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Hugging Face folder."""
    folder = tmp_path_factory.mktemp("chat") / "model"
    folder.mkdir()
    write_toy_chat(folder)
    return folder


@pytest.fixture(scope="session")
def toy_chat_ct2_dir(tmp_path_factory: pytest.TempPathFactory, toy_chat_dir: Path) -> Path:
    """The same for CTranslate2, in float32."""
    from ctranslate2.converters import TransformersConverter

    folder = tmp_path_factory.mktemp("chat-ct2") / "ct2"
    files = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
    TransformersConverter(str(toy_chat_dir), copy_files=files).convert(str(folder), quantization="float32")
    return folder


Reply = tuple[int, dict[str, str], str]  # status, headers, body


def completion(*texts: str, finish: str = "stop", logprob: float | None = -0.5) -> Reply:
    """A whole chat completion."""
    content = None if logprob is None else {"content": [{"token": "x", "logprob": logprob}]}
    choices = [{"message": {"content": text}, "finish_reason": finish, "logprobs": content} for text in texts]
    return 200, {}, json.dumps({"choices": choices})


class Server(ThreadingHTTPServer):
    """A server of chat completions on 127.0.0.1; what it says to a request is a function of it."""

    daemon_threads = True

    def __init__(self, say: Callable[[dict[str, Any]], Reply], models: Reply | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.say, self.requests, self.keys = say, [], []
        self.models = models or (200, {}, json.dumps({"data": [{"id": "toy"}]}))
        self.lock, self.busy, self.most_busy = threading.Lock(), 0, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.keys.append(self.headers.get("authorization"))
        self._reply(*self.server.models)

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.requests.append(request)
            self.server.busy += 1
            self.server.most_busy = max(self.server.most_busy, self.server.busy)
        try:
            self._reply(*self.server.say(request))
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def _reply(self, status: int, headers: dict[str, str], body: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(say: Callable[[dict[str, Any]], Reply], models: Reply | None = None) -> Iterator[Server]:
    """A server that runs while the block does."""
    server = Server(say, models)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(request: dict[str, Any]) -> str:
    """The text that a request wants translated."""
    return request["messages"][-1]["content"]
