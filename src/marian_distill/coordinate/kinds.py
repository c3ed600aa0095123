"""A trainer on a shard, for each of the two kinds of stages: sentence pairs, and text of a language model.

The same calls as those of distill_zh_en.py and of `training.language.train`, on the files of a shard.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marian_distill.coordinate.stage import Built
from marian_distill.languages import directions_of
from marian_distill.signals import stop_request
from marian_distill.tokenizer_file import TokenizerFile
from marian_distill.training import cached, data, models, precision, runs
from marian_distill.training.language.arguments import CausalModelArguments, TextArguments
from marian_distill.training.language.card import write_card
from marian_distill.training.language.data import packed_data, row_length
from marian_distill.training.language.train import make_model
from marian_distill.training.language.trainer import LanguageModelTrainer
from marian_distill.training.pairs import pair_trainer
from marian_distill.training.parsing import parse_arguments
from marian_distill.training.progress import show_progress


def _words(name: str, values: Sequence[Path]) -> list[str]:
    return [name, *map(str, values)] if values else []


class PairStage:
    """Encoder-decoders: the options of distill_zh_en.py."""

    def arguments(self, tokens: list[str], data: Sequence[Path], caches: Sequence[Path]) -> Any:
        """See `stage.Kind`."""
        return parse_arguments([*tokens, *_words("--dataset", data), *_words("--teacher_cache", caches)])

    def build(self, arguments: Any, plan: dict[str, Any] | None) -> Built:
        """See `stage.Kind`."""
        model_options, data_options, training = arguments
        pieces = models.load_pieces(model_options)
        teacher = models.load_teacher(model_options, pieces, training)
        cache = cached.open_cache(training, pieces.vocabulary, model_options.teacher_model)
        student, _ = models.make_student(model_options, pieces, teacher)
        eval_dataset = data.evaluation_data(data_options, pieces) if data_options.eval_dataset else None
        train_dataset, report = data.training_data(data_options, pieces, training.seed)
        trainer = pair_trainer(
            arguments,
            pieces,
            student,
            teacher,
            cache,
            train_dataset,
            eval_dataset,
            variation_seed=training.data_seed,
            plan=plan,
        )
        return Built(trainer, arguments, report, models.fingerprints(model_options, pieces))

    def save(self, built: Built, staged: Path) -> None:
        """See `stage.Kind`."""
        built.trainer.save_model(str(staged))

    def finish(self, directory: Path, staged: Path, options: dict[str, Any], run: dict[str, Any], log: Any) -> None:
        """See `stage.Kind`."""
        runs.finish_run(directory, staged, options, run, log)


class TextStage:
    """Language models that translate: the options of scripts/train_causal_lm.py."""

    def arguments(self, tokens: list[str], data: Sequence[Path], caches: Sequence[Path]) -> Any:
        """See `stage.Kind`."""
        words = [*tokens, "--holdout_share=0", *_words("--text", data), *_words("--teacher_cache", caches)]
        return parse_arguments(words, model=CausalModelArguments, data=TextArguments)

    def build(self, arguments: Any, plan: dict[str, Any] | None) -> Built:
        """See `stage.Kind`."""
        model_options, text_options, training = arguments
        tokenizer = TokenizerFile(model_options.tokenizer_dir or str(model_options.student_model))
        model: Any = make_model(model_options, tokenizer)
        cache = cached.open_cache(training, tokenizer.library.get_vocab(), model_options.teacher_model)
        model.config.directions = list(directions_of(text_options.direction))
        length = row_length(text_options, model.config.max_position_embeddings)
        rows, eval_rows, report = packed_data(text_options, tokenizer, length, training.data_seed)
        teaching = None if cache is None else cached.CachedTeaching(cache, cached.sample_keys(rows), training)
        trainer = LanguageModelTrainer(
            model,
            training,
            tokenizer,
            teacher_cache=teaching,
            plan=precision.resumed(plan, training) if plan else None,
            train_dataset=rows,
            eval_dataset=eval_rows,
            stop=stop_request,
        )
        show_progress(trainer)
        return Built(trainer, arguments, report, {})

    def save(self, built: Built, staged: Path) -> None:
        """See `stage.Kind`."""
        trainer: Any = built.trainer
        trainer.model.float().save_pretrained(staged)
        trainer.pieces.save(staged)

    def finish(self, directory: Path, staged: Path, options: dict[str, Any], run: dict[str, Any], log: Any) -> None:
        """See `stage.Kind`."""
        files = {name: Path(name) for name in run["data"]["sources"]}  # the card of a text has their sizes
        sizes = {name: path.stat().st_size if path.is_file() else 0 for name, path in files.items()}
        run["data"]["sources"] = sizes
        runs.finish_run(directory, staged, options, run, log, write_card)
