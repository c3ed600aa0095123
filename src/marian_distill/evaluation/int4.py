"""Linear layers in int4 by `torchao`: its weight-only kernel for x86, activations in bfloat16.

Embeddings (and with them the output projection) stay in bfloat16: of a small model they are a good part of the size.
https://github.com/pytorch/ao
"""

import io

import torch

from marian_distill.errors import UserError
from marian_distill.students.student import Student

GROUP_SIZE = 32  # weights that share a scale


def quantize_int4(model: Student) -> None:
    """Turn the weights of the linear layers into int4, in place; `UserError` without `torchao`."""
    try:
        from torchao.prototype.quantization.int4 import (  # pyright: ignore[reportMissingImports]
            PrototypeInt4WeightOnlyConfig,
        )
        from torchao.quantization import quantize_  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError("int4 needs the package torchao 0.18: uv sync --extra int4") from error
    model.to(torch.bfloat16)  # pyright: ignore[reportArgumentType]
    quantize_(
        model,
        PrototypeInt4WeightOnlyConfig(group_size=GROUP_SIZE, set_inductor_config=False),
        filter_fn=lambda module, name: isinstance(module, torch.nn.Linear) and name != "lm_head",
    )


def stored_megabytes(model: Student) -> float:
    """Size of the weights as they would lie on a disk."""
    stream = io.BytesIO()
    torch.save(model.state_dict(), stream)
    return stream.tell() / 1e6
