"""From options to tokenised training and evaluation data, and a report of what went in."""

import logging
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from marian_distill.languages import TAGS, directions_of, languages_of
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.text.cleaning import clean
from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights, source_labels
from marian_distill.text.formats import files_of
from marian_distill.text.tokenization import TAG_SHARES, tokenize_parallel
from marian_distill.text.variants import Variation
from marian_distill.training.arguments import DataArguments

logger = logging.getLogger(__name__)


def training_data(
    options: DataArguments, pieces: SentencePieceTokenizer, seed: int
) -> tuple[datasets.Dataset, dict[str, Any]]:
    """Corpora cleaned, the extra files on top as they are, mixed, tokenised; and counts and fingerprints for JSON."""
    logger.info("reading, cleaning and tokenising the training data, or finding it in the cache")
    report: dict[str, Any] = {"fingerprints": {}, "cleaning": {}}
    main, extra = [], []
    for name in options.dataset:
        corpus = load_parallel(CorpusSource(name, options.dataset_config))
        report["fingerprints"][name] = corpus._fingerprint
        if options.clean:
            corpus, cleaning = clean(corpus, num_proc=options.preprocess_num_proc)
            report["cleaning"][name] = cleaning.as_dict()
            logger.info("cleaning of %s:\n%s", name, cleaning.table())
        main.append((corpus, 1.0))
    for name, repeat in options.extra_sources():
        # Not cleaned: rows of an extra file may be repeated on purpose.
        corpus = load_parallel(CorpusSource(name))
        report["fingerprints"][name] = corpus._fingerprint
        extra.append((corpus, repeat))
    mixed = mix(
        main,
        extra,
        source_weights=parse_source_weights(options.source_weight),
        max_samples=options.max_train_samples,
        seed=seed,
    )
    codes, names = source_labels(mixed)
    report["sources"] = dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))
    tokenized = tokenize_parallel(
        mixed,
        pieces,
        options.direction,
        max_source_length=options.max_source_length,
        max_target_length=options.max_target_length,
        tagged=variation(options, pieces, seed).tagged,
        num_proc=options.preprocess_num_proc,
    )
    report["examples"] = len(tokenized)
    report["tokens"] = {
        side: int(np.asarray(tokenized.with_format("numpy")[f"{side}_length"][:]).sum())
        for side in ("source", "target")
    }
    logger.info("training data: %s", {key: report[key] for key in ("examples", "tokens", "sources")})
    return tokenized, report


def variation(options: DataArguments, pieces: SentencePieceTokenizer, seed: int) -> Variation:
    """What `DistillSeq2SeqTrainer` draws for the training data in each epoch."""
    return Variation(
        tag_share=_tag_share(options, pieces),
        final_stop_share=options.final_stop_share,
        source_noise=options.source_noise,
        subword_sampling=options.subword_sampling,
        subword_alpha=options.subword_alpha,
        max_source_length=options.max_source_length,
        max_target_length=options.max_target_length,
        seed=seed,
    )


def evaluation_data(
    options: DataArguments, pieces: SentencePieceTokenizer
) -> datasets.Dataset | dict[str, datasets.Dataset] | None:
    """The evaluation rows as they are, tagged as the phone tags them; by direction where the student has both."""
    if options.eval_dataset is not None:
        corpus = load_parallel(CorpusSource(options.eval_dataset, options.dataset_config), "validation")
    elif Path(options.dataset[0]).is_file() or files_of(Path(options.dataset[0])):
        return None  # a file, or a pair of files, has no validation split
    else:
        corpus = load_parallel(CorpusSource(options.dataset[0], options.dataset_config), "validation")
    if options.max_eval_samples is not None:
        corpus = corpus.select(range(min(options.max_eval_samples, len(corpus))))
    by_direction = {
        direction: tokenize_parallel(
            corpus,
            pieces,
            direction,
            max_source_length=510,
            max_target_length=510,
            tagged=_tag_share(options, pieces) > 0,
        )
        for direction in directions_of(options.direction)
    }
    return by_direction if len(by_direction) > 1 else next(iter(by_direction.values()))


def _tag_share(options: DataArguments, pieces: SentencePieceTokenizer) -> float:
    """The share asked for; by default none where the tokenizer (a hub teacher's, perhaps) does not know the tag."""
    if options.direction == "both":
        return 1.0
    if options.tag_share is not None:
        return options.tag_share
    (direction,) = directions_of(options.direction)
    known = TAGS[languages_of(direction)[1]] in pieces.vocabulary
    return TAG_SHARES[direction] if known else 0.0
