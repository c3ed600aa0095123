"""The language model: `Qwen3ForCausalLM` of transformers, with what training asks of a student."""

from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

from marian_distill.students.causal.config import forward_operations
from marian_distill.students.projection import Projection
from marian_distill.students.student import Batch, Student, Work


class CausalStudent(Student, Qwen3ForCausalLM):
    """Learns what follows each token of packed rows (`rows`); saved and loaded as a plain `Qwen3ForCausalLM`."""

    plain_class = Qwen3ForCausalLM
    config: Qwen3Config

    def project(self, batch: Batch) -> Projection:
        """States before the scored tokens, with the projection's weight.

        `position_ids` begin at 0 for each sample of a row. Without a mask and without a cache transformers takes that
        as the sign of packed samples, none of which attends to another (`find_packed_sequence_indices` of its
        masking_utils).
        """
        outputs = self.model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False)
        states = outputs.last_hidden_state.flatten(0, 1).index_select(0, batch["scored"])
        return Projection(states, self.lm_head.weight, self.lm_head.weight.new_zeros(1))

    def work(self, batch: Batch) -> Work:
        """Tokens that are learnt, places of the rows."""
        places = batch["input_ids"].numel()
        return Work(len(batch["scored"]), places, forward_operations(self.config, places))


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
