import pytest
import torch

from marian_distill.training.layer_rates import layer_depths


def test_depths_follow_the_order_of_the_layers():
    layers = ["encoder.layers.0.fc1.weight", "encoder.layers.0.fc2.weight", "encoder.layers.1.fc1.bias"]
    names = ["shared.weight", *layers, "encoder.norm.weight", "decoder.layers.0.fc1.weight", "decoder.norm.weight"]
    assert list(layer_depths(names).values()) == [0, 1, 1, 2, 2, 3, 3]


def test_a_lower_layer_moves_less_by_just_the_share_that_was_asked_for(new_model, new_trainer):
    moved = {}
    for decay in (1.0, 0.5):
        student = new_model()
        before = {name: tensor.clone() for name, tensor in student.named_parameters()}
        settings = {"optim": "sgd", "max_steps": 1, "max_grad_norm": 0.0, "lr_scheduler_type": "constant"}
        new_trainer(student, layer_learning_rate_decay=decay, **settings).train()
        moved[decay] = {name: (tensor - before[name]).norm().item() for name, tensor in student.named_parameters()}
    depths = layer_depths(moved[1.0])
    assert max(depths.values()) == 3  # two encoder layers, one decoder layer
    for name, depth in depths.items():
        if moved[1.0][name] > 1e-3:
            assert moved[0.5][name] == pytest.approx(moved[1.0][name] * 0.5 ** (3 - depth), rel=0.02), name


def test_rates_of_layers_come_back_from_a_checkpoint(new_model, new_trainer):
    settings = {"layer_learning_rate_decay": 0.5, "max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    whole = new_trainer(new_model(), **settings)
    whole.train()
    resumed = new_trainer(new_model(seed=3), **settings)
    resumed.train(resume_from_checkpoint=f"{resumed.args.output_dir}/checkpoint-2")
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], tensor), name
