"""The Marian student: post-norm, sinusoidal positions, one embedding table for source, target and output."""

import torch
from transformers import MarianConfig, MarianMTModel

from marian_distill.students.marian.config import forward_operations
from marian_distill.students.marian.forward import decoder_states
from marian_distill.students.projection import LayerStates, Projection
from marian_distill.students.student import Batch, Student, Work
from marian_distill.students.zero_pad import zero_pad_row

BRANCH_GAIN = 0.1


class MarianStudent(Student, MarianMTModel):
    """`MarianMTModel` as a `Student`; saved and loaded as a plain `MarianMTModel`."""

    plain_class = MarianMTModel
    gives_layers = True

    def project(self, batch: Batch) -> Projection:
        """Run encoder and decoder; states of the target tokens [tokens, d].

        Args:
            batch: of `PairCollator`.
        """
        return Projection(decoder_states(self, batch), self.lm_head.weight, self.final_logits_bias[0])

    def project_with_layers(self, batch: Batch) -> tuple[Projection, LayerStates]:
        """The same, with the states and the attention of every layer; the latter with eager attention alone."""
        layers = LayerStates({}, {})
        states = decoder_states(self, batch, layers)
        return Projection(states, self.lm_head.weight, self.final_logits_bias[0]), layers

    def work(self, batch: Batch) -> Work:
        """Tokens of both sides."""
        source, target = len(batch["source_places"]), len(batch["scored"])
        padded = batch["input_ids"].numel() + batch["labels"].numel()
        return Work(source + target, padded, forward_operations(self.config, source, target))


def new_student(config: MarianConfig) -> MarianStudent:
    """A student with random weights: embeddings N(0, 1/d_model) so that scaled ones have unit variance.

    The linear layers are Glorot-uniform as in Marian, but what leaves a self-attention or feed-forward block is a
    tenth of that: a new layer then hands on almost what it was given. A post-norm stack of full-sized random layers
    blurs which token stood where, and cross-attention finds it again only thousands of updates later
    (docs/experiments.md). The idea is that of Bachlechner et al. 2020, "ReZero", https://arxiv.org/abs/2003.04887.
    The `<pad>` row is zero.
    """
    config.init_std = config.d_model**-0.5
    student = MarianStudent(config)
    for name, module in student.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not student.lm_head:
            ends_branch = name.endswith(("self_attn.out_proj", "fc2"))
            torch.nn.init.xavier_uniform_(module.weight, gain=BRANCH_GAIN if ends_branch else 1.0)
    zero_pad_row(student)
    return student
