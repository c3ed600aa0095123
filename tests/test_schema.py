from typing import Literal, TypedDict

import pytest

from marian_distill.errors import UserError
from marian_distill.schema import fault_of, read_shaped


class Tensor(TypedDict):
    name: str
    shape: list[int]


class Optional(TypedDict, total=False):
    scale: float | None
    tensors: dict[str, Tensor]


@pytest.mark.parametrize(
    ("value", "shape", "fault"),
    [
        ({"name": "a", "shape": [1, 2], "more": 3}, Tensor, ""),
        ({"name": "a"}, Tensor, "it has no 'shape'"),
        ({"name": "a", "shape": [1, "2"]}, Tensor, "shape[1] is '2', expected a whole number"),
        ({"name": "a", "shape": [True]}, Tensor, "shape[0] is 'True', expected a whole number"),
        ({"name": 1, "shape": []}, Tensor, "name is '1', expected a str"),
        ([], Tensor, "it is '[]', expected an object"),
        ({}, Optional, ""),
        ({"scale": None}, Optional, ""),
        ({"scale": 1}, Optional, ""),
        ({"scale": float("inf")}, Optional, "scale is 'inf', expected a finite number"),
        ("zh", Literal["en", "zh"], ""),
        (["zh"], Literal["en", "zh"], """it is "['zh']", expected 'en' or 'zh'"""),
        ({"tensors": {"x": {"name": "x"}}}, Optional, "tensors.x has no 'shape'"),
    ],
)
def test_a_fault_names_its_place(value, shape, fault):
    assert fault_of(value, shape, "") == fault


def test_a_file_of_another_shape_is_told(tmp_path):
    (tmp_path / "tensor.json").write_text('{"name": "a", "shape": 3}')
    with pytest.raises(UserError, match=r"tensor\.json: shape is '3', expected a list"):
        read_shaped(tmp_path / "tensor.json", Tensor)
