"""A hub cache as the hub's own client leaves it, with a tiny model and corpus in it: the hub's names, no network.

The layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

COMMIT = hashlib.sha1(b"a tiny stand-in").hexdigest()  # noqa: S324 (a name, not a secret)


def snapshot(cache: Path, kind: str, name: str) -> Path:
    """The empty snapshot folder of a repository in a cache, which `main` points to.

    Args:
        cache: HF_HOME.
        kind: "models" or "datasets".
        name: such as Helsinki-NLP/opus-mt-en-zh.
    """
    repository = cache / "hub" / f"{kind}--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT, encoding="ascii")
    folder = repository / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    return folder


def add_opus_100(cache: Path, splits: dict[str, Iterable[tuple[str, str]]]) -> None:
    """Helsinki-NLP/opus-100, config en-zh: a Parquet file a split with a `translation` column, and its README."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = snapshot(cache, "datasets", "Helsinki-NLP/opus-100")
    (folder / "en-zh").mkdir()
    schema = pa.schema([("translation", pa.struct([("en", pa.string()), ("zh", pa.string())]))])
    for split, pairs in splits.items():
        rows = [{"translation": {"en": english, "zh": chinese}} for english, chinese in pairs]
        pq.write_table(pa.Table.from_pylist(rows, schema), folder / "en-zh" / f"{split}-00000-of-00001.parquet")
    files = "\n".join(f"  - split: {split}\n    path: en-zh/{split}-*" for split in splits)
    readme = f"---\nconfigs:\n- config_name: en-zh\n  data_files:\n{files}\n---\n"
    (folder / "README.md").write_text(readme, encoding="utf-8")


def write_two_sided_tokenizer(directory: Path, english: Sequence[str], chinese: Sequence[str], size: int) -> int:
    """A tokenizer as the hub's OPUS-MT models have it: a SentencePiece model a side, one vocabulary of both.

    Returns the vocabulary's size with `<pad>`, which is last; `</s>` is 0 and `<unk>` 1.
    """
    import json

    import sentencepiece

    vocabulary = {"</s>": 0, "<unk>": 1}
    for name, texts in (("source.spm", english), ("target.spm", chinese)):
        prefix = directory / name.removesuffix(".spm")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_prefix=str(prefix),
            vocab_size=size,
            hard_vocab_limit=False,
            character_coverage=1.0,
            num_threads=1,
            minloglevel=2,
        )
        prefix.with_suffix(".model").rename(directory / name)
        prefix.with_suffix(".vocab").unlink()
        processor = sentencepiece.SentencePieceProcessor(model_file=str(directory / name))
        for index in range(3, processor.get_piece_size()):  # after <unk>, <s>, </s>
            vocabulary.setdefault(processor.id_to_piece(index), len(vocabulary))
    for piece in (">>cmn_Hans<<", "<pad>"):
        vocabulary[piece] = len(vocabulary)
    (directory / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    config = {
        "tokenizer_class": "MarianTokenizer",
        "source_lang": "eng",
        "target_lang": "zho",
        "model_max_length": 512,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return len(vocabulary)


def add_opus_mt(cache: Path, pairs: Sequence[tuple[str, str]], steps: int) -> None:
    """Helsinki-NLP/opus-mt-en-zh: the hub's architecture and files, 64 wide, trained on `pairs` for some `steps`."""
    import torch
    from transformers import GenerationConfig, MarianConfig, MarianMTModel

    from marian_distill.files import read_json, write_json
    from marian_distill.pieces import SentencePieceTokenizer
    from marian_distill.students.marian.model import new_student
    from marian_distill.students.packing import PairCollator
    from marian_distill.training.losses import DistillationLoss, projection_loss

    folder = snapshot(cache, "models", "Helsinki-NLP/opus-mt-en-zh")
    english, chinese = zip(*pairs, strict=True)
    size = write_two_sided_tokenizer(folder, english, chinese, size=1000)
    sizes = {"d_model": 64, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128}
    heads = {"encoder_attention_heads": 8, "decoder_attention_heads": 8}
    config = MarianConfig(
        **sizes, **heads, encoder_layers=6, decoder_layers=6, activation_function="swish", scale_embedding=True,
        vocab_size=size, pad_token_id=size - 1, decoder_start_token_id=size - 1, eos_token_id=0, forced_eos_token_id=0,
        bos_token_id=0, max_position_embeddings=512, dropout=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    model = new_student(config)
    pieces = SentencePieceTokenizer(folder)
    examples = [
        {"input_ids": pieces.ids(source), "labels": pieces.ids(target)}
        for source, target in zip(pieces.source_pieces(english), pieces.target_pieces(chinese), strict=True)
    ]
    collate, optimizer = PairCollator(pieces.pad_id), torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(steps):
        chosen = torch.randint(len(examples), (32,), generator=torch.Generator().manual_seed(step)).tolist()
        batch = collate([examples[index] for index in chosen])
        sums = model(**batch, objective=partial(projection_loss, DistillationLoss()))
        (sums.loss / (batch["labels"] >= 0).sum()).backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            model.get_input_embeddings().weight[-1] = 0.0
    model.generation_config = GenerationConfig(
        num_beams=4, bad_words_ids=[[size - 1]], pad_token_id=size - 1, decoder_start_token_id=size - 1,
        eos_token_id=0, bos_token_id=0, forced_eos_token_id=0, max_length=512,
    )  # fmt: skip
    MarianMTModel.save_pretrained(model, folder)
    old_keys = {
        "bad_words_ids": [[size - 1]], "max_length": 512, "num_beams": 4, "normalize_before": False,
        "normalize_embedding": False, "static_position_embeddings": True, "add_bias_logits": False,
        "add_final_layer_norm": False, "extra_pos_embeddings": size, "force_bos_token_to_be_generated": False,
        "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}, "classif_dropout": 0.0, "_num_labels": 3,
    }  # fmt: skip
    write_json(folder / "config.json", read_json(folder / "config.json") | old_keys)  # as models of 2020 have it
