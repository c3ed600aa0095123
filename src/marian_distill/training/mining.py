"""Hard-example mining: a share of each later epoch's examples is drawn by the loss that they last had.

Katharopoulos & Fleuret 2018, "Not All Samples Are Created Equal", https://arxiv.org/abs/1803.00942 (draws by loss or
gradient), Shrivastava et al. 2016, https://arxiv.org/abs/1604.03540 (hard examples online). The gradient is not
reweighted: what is learnt badly is meant to weigh more. Draws hang on seed, epoch and losses, which checkpoints keep.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed

from marian_distill.errors import UserError
from marian_distill.students.kind import Collator
from marian_distill.students.student import Batch
from marian_distill.text.batching import LengthBatchSampler


class ExampleLosses:
    """The mean cross-entropy of every example's tokens when it was last trained on.

    Args:
        examples: how many there are.
        device: where they are kept.
    """

    def __init__(self, examples: int, device: torch.device) -> None:
        self.epoch = 0
        self.before_epoch = torch.full((examples,), torch.nan, device=device)  # what the epoch's draws hang on
        self.of_epoch = torch.full((examples,), torch.nan, device=device)

    def record(self, examples: Tensor, batch: Batch, token_losses: Tensor) -> None:
        """Note a batch's losses.

        Args:
            examples: [batch], which they are.
            batch: its `labels` [batch, target] and `scored` [tokens].
            token_losses: cross-entropy of the scored tokens, [tokens].
        """
        rows = batch["scored"] // batch["labels"].shape[1]
        sums, counts = torch.zeros(2, len(examples), device=rows.device)
        sums.index_add_(0, rows, token_losses)
        counts.index_add_(0, rows, torch.ones_like(token_losses))
        self.of_epoch[examples] = sums / counts

    def begin(self, epoch: int) -> None:
        """A later epoch begins: its draws hang on the losses so far."""
        if epoch > self.epoch:
            latest = self._of_all_processes()
            self.before_epoch = torch.where(latest.isnan(), self.before_epoch, latest)
            self.of_epoch.fill_(torch.nan)
            self.epoch = epoch

    def chances(self) -> np.ndarray | None:
        """Chance of each example in this epoch's draws, [examples]; None: no loss is known yet."""
        losses = self.before_epoch.double().cpu().numpy()
        if np.isnan(losses).all():
            return None
        losses = np.where(np.isnan(losses), np.nanmean(losses), losses)
        return losses / losses.sum()

    def state_dict(self) -> Mapping[str, Tensor]:
        """What a checkpoint keeps; every process asks."""
        epoch = torch.tensor(self.epoch)
        return {"epoch": epoch, "before_epoch": self.before_epoch, "of_epoch": self._of_all_processes()}

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint.

        Raises:
            UserError: it is of another number of examples.
        """
        if state_dict["before_epoch"].shape != self.before_epoch.shape:
            raise UserError(
                f"the checkpoint has losses of {len(state_dict['before_epoch'])} examples, the training data has "
                f"{len(self.before_epoch)}; go on with the data that the run began with"
            )
        self.epoch = int(state_dict["epoch"])
        self.before_epoch.copy_(state_dict["before_epoch"])
        self.of_epoch.copy_(state_dict["of_epoch"])

    def _of_all_processes(self) -> Tensor:
        """The losses of this epoch; of an example that two processes had, the mean."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return self.of_epoch
        sums_and_counts = torch.stack([self.of_epoch.nan_to_num(), (~self.of_epoch.isnan()).float()])
        distributed.all_reduce(sums_and_counts)
        return sums_and_counts[0] / sums_and_counts[1]  # 0 ÷ 0, nobody had it, is NaN again


class HardExampleSampler(LengthBatchSampler):
    """Batches of like length in which a share of the examples was drawn by loss, from the second epoch on.

    Args:
        losses: of the examples.
        share: of an epoch's examples; as many others, chosen at random, are left out.
        *arguments, **options: of `LengthBatchSampler`.
    """

    def __init__(self, losses: ExampleLosses, share: float, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.losses, self.share = losses, share

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is yielded next."""
        self.losses.begin(epoch)
        super().set_epoch(epoch)

    def _make_batches(self) -> list[np.ndarray]:
        batches = super()._make_batches()
        chances = self.losses.chances()
        if self.epoch == 0 or chances is None:
            return batches
        draw = np.random.default_rng([self.seed, self.epoch, 1])
        examples = len(self.source_lengths)
        hard = draw.choice(examples, round(self.share * examples), p=chances)
        others = draw.permutation(examples)[: examples - len(hard)]
        mined = self._cut_in_pools(draw.permutation(np.concatenate([hard, others])))
        # One epoch has as many batches as the next: what is more is left out, what is missing is had twice.
        order = np.resize(draw.permutation(len(mined)), len(batches))
        return [mined[index] for index in order]


def with_examples(collate: Collator, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    """A batch, and which `examples` [batch] its rows are; a kind that packs several into a row is refused."""
    batch = collate(rows)
    if len(batch["labels"]) != len(rows):
        raise UserError("--hard-example-share needs a student whose batches have a row an example; leave it out")
    return {**batch, "examples": torch.tensor([row["example"] for row in rows])}
