"""Adapters: they learn while the weights stay, and merged weights say what model and adapters said."""

import pytest
import torch

from marian_distill.training.language.lora import merged, with_adapters
from marian_distill.training.language.trainer import plain_model
from toy_language_model import new_toy_model

pytest.importorskip("peft")


def test_merged_weights_say_the_same(toy_tokenizer):
    model = new_toy_model(toy_tokenizer)
    ids = torch.tensor([[0, *toy_tokenizer.encode(["We like tea."])[0]]])
    untouched = model(ids).logits.detach()
    weights = model.model.layers[0].self_attn.q_proj.weight.detach().clone()

    adapted = with_adapters(model, rank=4, alpha=8.0, dropout=0.0)
    assert plain_model(adapted) is model
    learnt = [name for name, one in adapted.named_parameters() if one.requires_grad]
    assert learnt
    assert all("lora_" in name for name in learnt)
    torch.manual_seed(1)
    for name, one in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(one, std=0.1)
    with torch.inference_mode():
        unmerged = adapted(input_ids=ids).logits
        plain = merged(adapted)
        again = plain(ids).logits
    assert (unmerged - untouched).abs().max() > 0.01  # the adapters say something
    torch.testing.assert_close(again, unmerged, rtol=0, atol=1e-5)
    assert not torch.equal(plain.model.layers[0].self_attn.q_proj.weight, weights)
    assert not [name for name, _ in plain.named_parameters() if "lora" in name]
