"""`Student`: what training asks of a model beyond being a `PreTrainedModel`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor
from transformers import GenerationMixin, PreTrainedModel

from marian_distill.students.projection import LayerObjective, LayerStates, Objective, Projection, Teaching

# Tensors by name, as a kind's collator makes them. `labels` [batch, target] and `scored` [tokens], the places among
# labels.view(-1) that the loss counts, are in all of them.
Batch = Mapping[str, Tensor]


class Work(NamedTuple):
    """What a batch is: its tokens, the same with padding, and the multiplications and additions of a forward pass.

    Of the matrix products; training takes three times as many.
    """

    tokens: int
    padded: int
    operations: float


class Student(PreTrainedModel, GenerationMixin):
    """A model that hands its last states to an objective, so that no whole logits tensor is made.

    A kind's class derives from this one and then from the plain class of transformers that it is saved and loaded as.
    """

    plain_class: type[PreTrainedModel]
    gives_layers = False  # whether there is a `project_with_layers`

    def project(self, batch: Batch) -> Projection:
        """States of the scored tokens, with the projection's weight and bias."""
        raise NotImplementedError

    def project_with_layers(self, batch: Batch) -> tuple[Projection, LayerStates]:
        """The same, with what each layer made of the batch: not every kind has it, see `gives_layers`."""
        raise NotImplementedError

    def parts(self) -> Mapping[str, Tensor]:
        """Weights by the names of their parts, which a student of another kind may start from; see `starts_from`."""
        return self.state_dict()

    def work(self, batch: Batch) -> Work:
        """How much a batch is, from shapes alone: nothing waits for a GPU."""
        raise NotImplementedError

    def forward(
        self,
        *args: Any,
        objective: Objective | None = None,
        teacher: Teaching | None = None,
        layer_objective: LayerObjective | None = None,
        **inputs: Any,
    ) -> Any:
        """Like the plain class's; with an `objective`, its `LossSums` over the labels that count.

        Args:
            *args: of the plain class.
            objective: called with this model's projection, the labels [tokens] and what teaches the same tokens.
            teacher: the teacher's projection of the same tokens, or what a cache has of it.
            layer_objective: called with what this model's layers made of the batch; its value is added to the loss.
            **inputs: with an objective, a batch.
        """
        if objective is None:
            return super().forward(*args, **inputs)
        if layer_objective is None:
            return objective(self.project(inputs), scored_labels(inputs), teacher)
        projection, layers = self.project_with_layers(inputs)
        sums, matching = objective(projection, scored_labels(inputs), teacher), layer_objective(layers)
        return sums._replace(loss=sums.loss + matching, matching=matching.detach())

    def save_pretrained(self, *args: Any, **kwargs: Any) -> Any:
        """Save as the class that everyone has."""
        saved = super().save_pretrained(*args, **kwargs)
        directory = Path(kwargs.get("save_directory", args[0] if args else ""))
        if kwargs.get("is_main_process", True):
            self.config.architectures = [self.plain_class.__name__]
            self.config.save_pretrained(directory)
        return saved


def scored_labels(batch: Batch) -> Tensor:
    """The labels that count, [tokens]."""
    return batch["labels"].view(-1).index_select(0, batch["scored"])
