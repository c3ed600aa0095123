"""The weights of a Hugging Face Marian model for Marian itself, and its command line."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from marian_distill.errors import UserError

INT8_PRODUCTS = "intgemm8"  # weights are packed for the processor when they are loaded
MARIAN_ATTENTION = {"q_proj": "q", "k_proj": "k", "v_proj": "v", "out_proj": "o"}


def run_marian(what: str, options: Sequence[object]) -> subprocess.CompletedProcess:
    command = ["uv", "run", str(Path(__file__).with_name("marian.py")), what, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"marian {what}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return done


def write_marian_model(model_dir: Path, work: Path) -> None:
    """marian.npz with this model's weights; Marian itself writes the frame, by training one update of that shape."""
    import numpy as np
    from safetensors.numpy import load_file
    from transformers import MarianConfig

    config = MarianConfig.from_pretrained(model_dir)
    for language in ("en", "zh"):
        (work / f"one.{language}").write_text("one .\n" * 8, encoding="utf-8")
    options = [
        "--type", "transformer", "--train-sets", work / "one.en", work / "one.zh", "--vocabs",
        *[model_dir / "source.spm"] * 2, "--dim-vocabs", 0, 0, "--dim-emb", config.d_model,
        "--enc-depth", config.encoder_layers, "--dec-depth", config.decoder_layers,
        "--transformer-heads", config.encoder_attention_heads, "--transformer-dim-ffn", config.encoder_ffn_dim,
        "--transformer-ffn-activation", config.activation_function, "--transformer-preprocess", "",
        "--transformer-postprocess", "dan", "--tied-embeddings-all", "--cpu-threads", 1, "--workspace", 200,
        "--after", "1u", "--model", work / "marian.npz", "--overwrite", "--mini-batch", 8, "--optimizer", "sgd",
    ]  # fmt: skip
    run_marian("train", options)
    weights = load_file(model_dir / "model.safetensors")
    with np.load(work / "marian.npz") as frame:
        arrays = dict(frame)
    ours = dict(marian_names(weights))
    for name, array in arrays.items():
        if not name.startswith("special:") and name in ours:
            value = ours.pop(name)[tuple(map(slice, array.shape))].reshape(array.shape)
            arrays[name] = np.ascontiguousarray(value, np.float32)  # Marian reads rows, not columns
        elif not name.startswith("special:"):
            raise UserError(f"marian.npz: nothing to put into {name}")
    np.savez(work / "marian.npz", **arrays)
    converted = ["--from", work / "marian.npz", "--to", work / "marian.int8.bin", "--gemm-type", INT8_PRODUCTS]
    run_marian("convert", converted)


def marian_names(weights: dict) -> Iterator[tuple[str, object]]:
    """Marian's name and layout of each tensor: matrices are [in, out], vectors are rows."""
    yield "Wemb", weights["model.shared.weight"]
    yield "decoder_ff_logit_out_b", weights["final_logits_bias"]
    for key, tensor in weights.items():
        parts = key.split(".")
        if "layers" not in parts:
            continue
        prefix = f"{parts[1]}_l{int(parts[3]) + 1}"
        kind, end = parts[4], parts[-1]
        value = tensor.T if tensor.ndim == 2 else tensor[None]
        suffix = "W" if end == "weight" else "b"
        norm = "scale" if end == "weight" else "bias"
        if kind in ("self_attn", "encoder_attn"):
            side = "self" if kind == "self_attn" else "context"
            yield f"{prefix}_{side}_{suffix}{MARIAN_ATTENTION[parts[5]]}", value
        elif kind in ("fc1", "fc2"):
            yield f"{prefix}_ffn_{suffix}{kind[-1]}", value
        else:
            block = {"self_attn_layer_norm": "self_Wo", "encoder_attn_layer_norm": "context_Wo"}.get(kind, "ffn_ffn")
            yield f"{prefix}_{block}_ln_{norm}", value
