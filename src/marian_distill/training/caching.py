"""From options to a teacher, its examples, and how they are kept: what scripts/cache_teacher_logits.py does."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError
from transformers import PreTrainedConfig

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.languages import TAGS, directions_of, languages_of
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.kinds import kind_of
from marian_distill.students.loading import load_student
from marian_distill.students.rows import text_samples
from marian_distill.teachers.cache import Example, ShardContent, vocabulary_hash, weights_hash
from marian_distill.teachers.distributions import check_k
from marian_distill.teachers.llm.local import chat_prompts, load_chat_tokenizer
from marian_distill.teachers.llm.prompt import read_prompt
from marian_distill.teachers.online import (
    CausalTeacher,
    PairTeacher,
    Prompts,
    Teacher,
    load_language_model,
    own_ids,
    pair_examples,
    prompted_examples,
    round_to_int8,
    speak,
    template_prompts,
)
from marian_distill.text.cleaning import clean
from marian_distill.text.corpus import CorpusSource, load_parallel
from marian_distill.text.formats import read_rows
from marian_distill.text.samples import read_samples
from marian_distill.text.tokenization import tokenize_parallel
from marian_distill.tokenizer_file import TokenizerFile
from marian_distill.training.models import model_folder

SPM = "source.spm"  # what a folder of a translator holds, and none of a language model's


TEXTS_AT_ONCE = 10_000


class Source(NamedTuple):
    """A teacher and what it speaks of.

    Attributes:
        teacher: loaded.
        rows: of its projection to the vocabulary.
        vocabulary: of the student's tokenizer, piece → id.
        own: the teacher's id of each of the student's pieces; None: the same.
        examples: names of corpora → all their examples, and a fingerprint of each.
        sha256: of the teacher's weights.
    """

    teacher: Teacher
    rows: int
    vocabulary: Mapping[str, int]
    own: np.ndarray | None
    examples: Callable[[Sequence[str]], tuple[Iterator[Example], dict[str, str]]]
    sha256: str


class Work(NamedTuple):
    """What `teachers.cache.write_cache` is called with."""

    settings: dict[str, Any]
    examples: Iterator[Example]
    speak: Callable[[Sequence[Example]], ShardContent]


def prepare(options: Namespace) -> Work:
    """The work that the options of scripts/cache_teacher_logits.py ask for; see `open_source` and `work_on`."""
    return work_on(open_source(options), options, options.dataset)


def open_source(options: Namespace) -> Source:
    """Load the teacher that the options name.

    Raises:
        UserError: no such teacher or device; a tokenizer that is not the teacher's.
    """
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"--device {options.device}: this machine has none that torch can use; give cpu")
    with teacher_folder(options.teacher_model) as folder:
        return (_pair_source if (folder / SPM).is_file() else _language_source)(folder, options)


def work_on(source: Source, options: Namespace, dataset: Sequence[str]) -> Work:
    """What there is to do on some corpora.

    Raises:
        UserError: no such text; too many pieces a token.
    """
    examples, data = source.examples(dataset)
    vocabulary = source.rows if source.own is None else len(source.own)
    exact = 0 if options.kind == "top-k" else options.exact
    check_k(options.k, exact, vocabulary)
    settings = {
        "kind": options.kind,
        "k": options.k,
        "exact": exact,
        "temperature": options.temperature,
        "seed": options.seed,
        "vocabulary": vocabulary,
        "vocabulary_sha256": vocabulary_hash(source.vocabulary),
        "teacher": Path(options.teacher_model).name,
        "teacher_sha256": source.sha256,
        "prompt": _template(options),
        "direction": options.direction,
        "data": data,
        "start_from": options.start_from,
        "max_samples": options.max_samples,
        "max_seq_len": options.max_seq_len,
        "shard_rows": options.shard_size,
    }
    say = partial(
        speak,
        source.teacher,
        kind=options.kind,
        k=options.k,
        exact=exact,
        temperature=options.temperature,
        seed=options.seed,
        own=None if source.own is None else torch.from_numpy(source.own).to(options.device),
        batch_size=options.batch_size,
    )
    stop = None if options.max_samples is None else options.start_from + options.max_samples
    return Work(settings, islice(examples, options.start_from, stop), say)


@contextmanager
def teacher_folder(name: str) -> Iterator[Path]:
    """A teacher as a folder: a local one, or a model of the hub, fetched or found in its cache."""
    if Path(name).is_dir():
        yield Path(name)
    elif is_encoder_decoder(name):
        with model_folder(name) as folder:
            yield folder
    else:
        yield Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))


def is_encoder_decoder(name: str) -> bool:
    """Whether a model of the hub is one; `UserError` where there is none of that name."""
    try:
        values, _ = PreTrainedConfig.get_config_dict(name)
    except (OSError, ValueError, HFValidationError) as error:
        raise UserError(f"{name}: neither a folder here nor a model on the hub that can be reached") from error
    return bool(values.get("is_encoder_decoder"))


def _pair_source(folder: Path, options: Namespace) -> Source:
    """An encoder-decoder; its students have its tokenizer."""
    if options.direction == "none" or options.prompt_file:
        raise UserError("--direction none and --prompt-file are for language models; this teacher translates pairs")
    pieces = SentencePieceTokenizer(folder)
    if options.tokenizer_dir and SentencePieceTokenizer(options.tokenizer_dir).vocabulary != pieces.vocabulary:
        raise UserError(
            f"--tokenizer-dir {options.tokenizer_dir}: has other pieces than {folder}, which are compared one by one; "
            "use sequence-level distillation instead: translate the corpus with the teacher, train with --alpha-ce 1"
        )
    tagged = not options.untagged and all(
        TAGS[languages_of(direction)[1]] in pieces.vocabulary for direction in directions_of(options.direction)
    )

    def examples(dataset: Sequence[str]) -> tuple[Iterator[Example], dict[str, str]]:
        corpora = [clean(load_parallel(CorpusSource(name, options.dataset_config)))[0] for name in dataset]
        tokenized = [
            tokenize_parallel(
                corpus,
                pieces,
                options.direction,
                max_source_length=options.max_seq_len,
                max_target_length=options.max_seq_len,
                tagged=tagged,
            )
            for corpus in corpora
        ]
        data = {Path(name).name: one._fingerprint for name, one in zip(dataset, tokenized, strict=True)}
        return chain.from_iterable(pair_examples(one, tagged) for one in tokenized), data

    model: Any = load_student(str(folder), options.device).to(getattr(torch, options.teacher_dtype))  # pyright: ignore
    if options.int8:
        round_to_int8(model)
    collator = kind_of(model.config.model_type).collator(pieces)
    return Source(
        PairTeacher(model, collator, options.compile),
        model.config.vocab_size,
        pieces.vocabulary,
        None,
        examples,
        weights_hash(folder),
    )


def _language_source(folder: Path, options: Namespace) -> Source:
    """A language model; its students have its tokens, or some of them."""
    own_tokenizer = TokenizerFile(folder)
    tokenizer = TokenizerFile(options.tokenizer_dir or folder)
    vocabulary = tokenizer.library.get_vocab()
    own = own_ids(vocabulary, own_tokenizer.library.get_vocab(), (str(tokenizer.directory), str(folder)))
    _text_files(options.dataset)  # before the long work
    prompts = None if options.direction == "none" else _prompts(options, folder, own_tokenizer)

    def examples(dataset: Sequence[str]) -> tuple[Iterator[Example], dict[str, str]]:
        files = _text_files(dataset)
        data = {path.name: sha256(path) for path in files}
        if options.direction == "none":
            return _text_examples(files, tokenizer, options), data
        several = (
            prompted_examples(_pairs(path), direction, tokenizer, options.max_seq_len, prompts)
            for path in files
            for direction in directions_of(options.direction)
        )
        return chain.from_iterable(several), data

    model = load_language_model(str(folder), getattr(torch, options.teacher_dtype), options.device)
    if options.int8:
        round_to_int8(model)
    rows: int = model.get_output_embeddings().weight.shape[0]  # pyright: ignore[reportOptionalMemberAccess]
    return Source(CausalTeacher(model, own, options.compile), rows, vocabulary, own, examples, weights_hash(folder))


def _text_files(names: Sequence[str]) -> list[Path]:
    files = [Path(name) for name in names]
    if missing := [path for path in files if not path.is_file()]:
        raise UserError(f"--dataset {missing[0]}: no such file; a language model's text is in files")
    return files


def _prompts(options: Namespace, folder: Path, tokenizer: TokenizerFile) -> Prompts | None:
    """What the teacher is asked: by a prompt file of `teachers.llm`, by a text with `{source}`, or as the student."""
    template = _template(options)
    if options.prompt_file is not None and options.prompt_file.suffix in (".yaml", ".yml"):
        return chat_prompts(read_prompt(options.prompt_file), load_chat_tokenizer(folder))
    return template_prompts(template, tokenizer) if template else None


def _template(options: Namespace) -> str:
    if options.prompt_file is None:
        return ""
    if not options.prompt_file.is_file():
        raise UserError(f"--prompt-file {options.prompt_file}: no such file")
    return options.prompt_file.read_text(encoding="utf-8")


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    for english, chinese, _ in read_rows(path):
        if english.strip() and chinese.strip():
            yield english.strip(), chinese.strip()


def _text_examples(files: Iterable[Path], tokenizer: TokenizerFile, options: Namespace) -> Iterator[Example]:
    """Samples of plain text, cut as packed rows of `--max-seq-len` would."""
    texts = chain.from_iterable(read_samples(file, options.samples) for file in files)
    while some := list(islice(texts, TEXTS_AT_ONCE)):
        samples = text_samples(some, tokenizer, options.max_seq_len)
        for given, first, last in zip(samples.given, samples.offsets[:-1], samples.offsets[1:], strict=True):
            yield Example(samples.ids[first : first + given], samples.ids[first + given : last])
