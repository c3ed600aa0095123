"""How fast training could go: what the machine makes of a plain matrix product."""

import time
from collections.abc import Callable
from statistics import median

import torch


def matrix_rate(dtype: torch.dtype, device: torch.device | str = "cpu", size: int = 1536) -> float:
    """Multiplications and additions a second of a product of two [size, size] matrices: the median of five."""
    run = matrix_product(dtype, device, size)
    return 2.0 * size**3 / median_time(run)


def quickest_rate(dtype: torch.dtype, device: torch.device, size: int = 256, rounds: int = 20) -> float:
    """The same of the quickest of many small products: what else runs on the machine hardly moves it."""
    run = matrix_product(dtype, device, size)
    return 2.0 * size**3 / min(median_time(run, rounds=1) for _ in range(rounds))


def matrix_product(dtype: torch.dtype, device: torch.device | str, size: int) -> Callable[[], object]:
    """A call that multiplies two [size, size] matrices of random numbers, and waits for the result."""
    draw = torch.Generator(device).manual_seed(0)  # its own: the run's random state is not moved
    left, right = (torch.randn(size, size, device=device, generator=draw).to(dtype) for _ in range(2))
    return lambda: (left @ right)[0, 0].item()


def median_time(run: Callable[[], object], rounds: int = 5, warm_up: int = 1) -> float:
    """Median seconds of a call."""
    seconds = []
    for _ in range(warm_up + rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return median(seconds[warm_up:])
