"""Fixtures: tiny students, tokenised examples, a trainer; torch on one thread, which is fastest for them."""

import random
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest
import torch

from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.marian.config import student_config
from marian_distill.students.marian.model import MarianStudent, new_student
from marian_distill.text.variants import Variation
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.precision import Plan
from marian_distill.training.trainer import NOTHING_VARIES, DistillSeq2SeqTrainer
from toy_model import PAIRS, write_tokenizer

torch.set_num_threads(1)

SHUFFLED = random.Random(0).sample(PAIRS, len(PAIRS))
SIZES = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 1, "attention_heads": 2, "ffn_dim": 32}


@pytest.fixture(scope="session")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> SentencePieceTokenizer:
    directory = tmp_path_factory.mktemp("training") / "tokenizer"
    write_tokenizer(directory, vocab_size=400)
    return SentencePieceTokenizer(directory)


@pytest.fixture(scope="session")
def examples(pieces: SentencePieceTokenizer) -> list[dict]:
    """All toy pairs, English to Chinese, long and short ones in turn."""
    english, chinese = zip(*SHUFFLED, strict=True)
    return [
        {
            "input_ids": pieces.ids(source),
            "labels": pieces.ids(target),
            "source_length": len(source),
            "target_length": len(target),
        }
        for source, target in zip(pieces.source_pieces(english), pieces.target_pieces(chinese), strict=True)
    ]


@pytest.fixture(scope="session")
def dataset(examples: list[dict]) -> datasets.Dataset:
    """The same, with their text."""
    texts = [{"direction": "en-zh", "source_text": english, "target_text": chinese} for english, chinese in SHUFFLED]
    return datasets.Dataset.from_list([{**ids, **text} for ids, text in zip(examples, texts, strict=True)])


@pytest.fixture
def new_model(pieces: SentencePieceTokenizer) -> Callable[..., MarianStudent]:
    """Builds a student of the tokenizer's vocabulary; `sizes` are those of `student_config`."""

    def build(seed: int = 0, **sizes) -> MarianStudent:
        torch.manual_seed(seed)
        options = {**SIZES, "vocab_size": len(pieces.vocabulary), "dropout": 0.0, **sizes}
        return new_student(student_config(**options))

    return build


@pytest.fixture
def new_trainer(
    tmp_path: Path, pieces: SentencePieceTokenizer, dataset: datasets.Dataset
) -> Callable[..., DistillSeq2SeqTrainer]:
    """Builds a trainer on the CPU; `options` are training arguments."""

    def build(
        student: MarianStudent,
        teacher: MarianStudent | None = None,
        callbacks=(),
        stop=None,
        plan: Plan | None = None,
        teacher_dtype: torch.dtype | None = None,
        variation: Variation = NOTHING_VARIES,
        **options,
    ) -> DistillSeq2SeqTrainer:
        defaults = {"output_dir": str(tmp_path / "run"), "use_cpu": True, "disable_tqdm": True, "save_strategy": "no",
                    "logging_steps": 1, "learning_rate": 1e-2, "attention": "eager", "precision": "fp32"}  # fmt: skip
        return DistillSeq2SeqTrainer(
            student,
            DistillTrainingArguments(**{**defaults, **options}),
            pieces,
            teacher,
            train_dataset=dataset.select(range(32)),
            eval_dataset=dataset.select(range(32, 48)),
            callbacks=list(callbacks),
            plan=plan,
            teacher_dtype=teacher_dtype,
            variation=variation,
            stop=stop,
        )

    return build
