import pytest

from marian_distill.errors import UserError
from marian_distill.students.shares import parts_held
from marian_distill.training.sharding import check_checkpoint, whole_model


@pytest.mark.parametrize(("deepspeed", "how"), [(True, "without"), (False, "with")])
def test_a_checkpoint_of_another_kind_is_refused(deepspeed, how, tmp_path):
    (tmp_path / ("optimizer.pt" if deepspeed else "global_step3")).touch()
    with pytest.raises(UserError, match=f"written {how} DeepSpeed; go on {how} it"):
        check_checkpoint(tmp_path, deepspeed=deepspeed)
    check_checkpoint(tmp_path, deepspeed=not deepspeed)


def test_what_is_not_shared_out_is_whole(new_model):
    model = new_model()
    assert whole_model(model) is model
    weight = model.get_input_embeddings().weight.detach()
    ((elements, first),) = parts_held(weight)
    assert first == 0 and len(elements) == weight.numel()
    elements[3] = 7.0
    assert weight[0, 3] == 7.0
