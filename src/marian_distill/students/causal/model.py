"""The language model: `Qwen3ForCausalLM` of transformers, with what training asks of a student."""

from typing import Any

from torch import Tensor
from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

from marian_distill.students.causal.config import forward_operations
from marian_distill.students.projection import LayerStates, Projection
from marian_distill.students.student import Batch, Student, Work


class CausalStudent(Student, Qwen3ForCausalLM):
    """Learns what follows each token of packed rows (`rows`); saved and loaded as a plain `Qwen3ForCausalLM`."""

    plain_class = Qwen3ForCausalLM
    gives_layers = True
    config: Qwen3Config

    def project(self, batch: Batch) -> Projection:
        """States before the scored tokens, with the projection's weight.

        `position_ids` begin at 0 for each sample of a row. Without a mask and without a cache transformers takes that
        as the sign of packed samples, none of which attends to another (`find_packed_sequence_indices` of its
        masking_utils).
        """
        return self._project(batch)[0]

    def project_with_layers(self, batch: Batch) -> tuple[Projection, LayerStates]:
        """The same, with what each layer made of the scored tokens; the last one's states are normalised, as above.

        Attention with eager attention alone; its keys are the places of a row.
        """
        with_attention = self.config._attn_implementation == "eager"
        projection, outputs = self._project(batch, output_hidden_states=True, output_attentions=with_attention)
        layers = LayerStates({}, {})
        for number, states in enumerate(outputs.hidden_states[1:]):  # the first are the embeddings
            attention = _scored(outputs.attentions[number].transpose(1, 2), batch) if with_attention else None
            layers.keep("decoder", _scored(states, batch), {"decoder": attention})
        return projection, layers

    def _project(self, batch: Batch, **asked: bool) -> tuple[Projection, Any]:
        rows = {name: batch[name] for name in ("input_ids", "position_ids")}
        outputs = self.model(**rows, use_cache=False, **asked)
        states = _scored(outputs.last_hidden_state, batch)
        return Projection(states, self.lm_head.weight, self.lm_head.weight.new_zeros(1)), outputs

    def work(self, batch: Batch) -> Work:
        """Tokens that are learnt, places of the rows."""
        places = batch["input_ids"].numel()
        return Work(len(batch["scored"]), places, forward_operations(self.config, places))


def _scored(rows: Tensor, batch: Batch) -> Tensor:
    """[rows, row_length, …] → [scored tokens, …]."""
    return rows.flatten(0, 1).index_select(0, batch["scored"])


def new_model(config: Qwen3Config) -> CausalStudent:
    """A model with random weights."""
    model = CausalStudent(config)
    model.generation_config = generation_config(config)
    return model


def generation_config(config: Qwen3Config) -> GenerationConfig:
    """Where texts begin and end; how tokens are drawn is for whoever writes to say."""
    return GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
    )
