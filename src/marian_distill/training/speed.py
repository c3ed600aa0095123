"""How fast training could go: the arithmetic of a model, and what the machine makes of a plain matrix product."""

import time
from collections.abc import Callable
from statistics import median

import torch
from transformers import MarianConfig


def forward_operations(config: MarianConfig, source_tokens: float, target_tokens: float) -> float:
    """Multiplications and additions of the matrix products of one forward pass; training takes three times as many.

    Attention's own products (scores, weighted sums) are left out: of short sequences they are a hundredth.
    """
    d = config.d_model
    encoder = config.encoder_layers * (4 * d * d + 2 * d * config.encoder_ffn_dim)
    memory = config.decoder_layers * 2 * d * d  # keys and values of the cross-attention
    decoder = config.decoder_layers * (6 * d * d + 2 * d * config.decoder_ffn_dim) + d * config.vocab_size
    return 2.0 * ((encoder + memory) * source_tokens + decoder * target_tokens)


def matrix_rate(dtype: torch.dtype, device: torch.device | str = "cpu", size: int = 1536) -> float:
    """Multiplications and additions a second of a product of two [size, size] matrices."""
    draw = torch.Generator(device).manual_seed(0)  # its own: the run's random state is not moved
    left, right = (torch.randn(size, size, device=device, generator=draw).to(dtype) for _ in range(2))
    return 2.0 * size**3 / median_time(lambda: (left @ right)[0, 0].item())  # item() waits for a GPU


def median_time(run: Callable[[], object], rounds: int = 5, warm_up: int = 1) -> float:
    """Median seconds of a call."""
    seconds = []
    for _ in range(warm_up + rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return median(seconds[warm_up:])
