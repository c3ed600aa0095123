"""The kinds of students, and how one that there is not is told."""

import json

import pytest

from marian_distill.errors import UserError
from marian_distill.students.kind import KINDS, kind_of, kind_of_folder, read_student_config
from marian_distill.students.loading import load_student
from marian_distill.students.student import Student


@pytest.mark.parametrize("model_type", [*KINDS])
def test_each_kind_has_a_student_and_says_what_it_can_be_exported_to(model_type):
    kind = kind_of(model_type)
    assert issubclass(kind.student, Student)
    assert kind.student.config_class.model_type == model_type
    assert kind.exports <= {"ct2", "onnx", "rknn"}


@pytest.mark.parametrize("model_type", ["bart", None, 3, ["marian"]])
def test_a_kind_that_there_is_not_is_told_with_those_there_are(model_type, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    for read in (
        read_student_config,
        lambda path: kind_of_folder(path.parent),
        lambda path: load_student(path.parent),
    ):
        with pytest.raises(UserError, match=r"config.json: model_type .*; the kinds of students are marian"):
            read(path)


def test_an_export_that_a_kind_lacks_is_told_with_those_it_has(toy_model_dir, monkeypatch):
    monkeypatch.setattr("marian_distill.students.marian.kind.Marian.exports", frozenset({"onnx", "rknn"}))
    with pytest.raises(UserError, match="a Marian student has no ct2 export; it has onnx, rknn"):
        kind_of_folder(toy_model_dir, "ct2")


def test_the_folder_of_an_exported_model_is_told_as_such(toy_ct2_dir, toy_bundle_dir):
    for folder, what in ((toy_ct2_dir, "a CTranslate2 folder"), (toy_bundle_dir, "a bundle")):
        for read in (kind_of_folder, load_student):
            with pytest.raises(UserError, match=f"{what}; give the Hugging Face folder that it was exported from"):
                read(folder)
