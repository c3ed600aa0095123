"""Batches of like length under a token budget.

The budget counts padded tokens, source and target together, as Marian (`--mini-batch-words`) and fairseq
(`--max-tokens`) do. The order depends on the seed and the epoch alone, so a resumed run sees the batches it would have
seen.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

# Examples are sorted by length within pools of this many batches: like lengths meet, yet an epoch stays shuffled.
BATCHES_IN_A_POOL = 200


class LengthBatchSampler(Sampler[list[int]]):
    """Yields lists of example indices, each a batch of like lengths.

    Args:
        source_lengths, target_lengths: tokens of every example, [examples].
        batch_size: examples a batch (used when `tokens` is 0).
        tokens: the most padded tokens a batch, source + target. An example longer than this is a batch alone.
        seed: seed of the order.
        shuffle: False for evaluation: longest first, so that running out of memory shows at once.
        rank, processes: of all batches this process yields every `processes`-th from `rank` on. While training each
            process has as many: batches that do not go round at the end of an epoch are shared out by examples.
    """

    def __init__(
        self,
        source_lengths: Sequence[int] | np.ndarray,
        target_lengths: Sequence[int] | np.ndarray,
        *,
        batch_size: int = 0,
        tokens: int = 0,
        seed: int = 0,
        shuffle: bool = True,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        if (batch_size > 0) == (tokens > 0):
            raise ValueError("give either batch_size or tokens")
        self.source_lengths = np.asarray(source_lengths, dtype=np.int64)
        self.target_lengths = np.asarray(target_lengths, dtype=np.int64)
        self.size, self.tokens, self.seed, self.shuffle = batch_size, tokens, seed, shuffle
        self.rank, self.processes = rank, processes
        self.epoch = 0
        self._batches_of_epoch: tuple[int, list[np.ndarray]] | None = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is yielded next."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._own_batches():
            yield batch.tolist()

    def __len__(self) -> int:
        return len(self._own_batches())

    def _own_batches(self) -> list[np.ndarray]:
        batches = self.batches()
        if self.processes == 1:
            return batches
        if not self.shuffle:
            return batches[self.rank :: self.processes]
        rounds = len(batches) // self.processes * self.processes
        own = batches[self.rank : rounds : self.processes]
        if rest := batches[rounds:]:
            shares = np.array_split(np.concatenate(rest), self.processes)
            if min(map(len, shares)):  # else fewer examples than processes: they wait for another epoch
                own.append(shares[self.rank])
        return own

    def batches(self) -> list[np.ndarray]:
        """All batches of the current epoch, of all processes, in order, as index arrays."""
        if self._batches_of_epoch is None or self._batches_of_epoch[0] != self.epoch:
            self._batches_of_epoch = (self.epoch, self._make_batches())
        return self._batches_of_epoch[1]

    def padding_share(self) -> float:
        """Share of padding among all tokens of the current epoch's batches."""
        padded = sum(
            len(batch) * int(self.source_lengths[batch].max() + self.target_lengths[batch].max())
            for batch in self.batches()
        )
        return 1.0 - self.tokens_in_all() / max(padded, 1)

    def tokens_in_all(self) -> int:
        """Source and target tokens of all examples."""
        return int(self.source_lengths.sum() + self.target_lengths.sum())

    def _make_batches(self) -> list[np.ndarray]:
        examples = len(self.source_lengths)
        if not self.shuffle:
            return self._cut(np.lexsort((-self.source_lengths, -self.target_lengths)))
        # One epoch has as many batches as the next: the Trainer counts them once. The pools (and with them the cuts)
        # are therefore drawn from the seed alone; the epoch shuffles the order in which the batches come.
        batches = self._cut_in_pools(np.random.default_rng(self.seed).permutation(examples))
        shuffled = np.random.default_rng([self.seed, self.epoch]).permutation(len(batches))
        return [batches[index] for index in shuffled]

    def _cut_in_pools(self, order: np.ndarray) -> list[np.ndarray]:
        """Cut an index array into batches of like length, pool by pool."""
        pool = self._examples_in_a_pool()
        batches: list[np.ndarray] = []
        for start in range(0, len(order), pool):
            chosen = order[start : start + pool]
            keys = (self.source_lengths[chosen], self.target_lengths[chosen])
            batches += self._cut(chosen[np.lexsort(keys)])
        return batches

    def _examples_in_a_pool(self) -> int:
        if self.size:
            return self.size * BATCHES_IN_A_POOL
        mean = max(1.0, float((self.source_lengths + self.target_lengths).mean()))
        return max(1, int(self.tokens / mean)) * BATCHES_IN_A_POOL

    def _cut(self, ordered: np.ndarray) -> list[np.ndarray]:
        """Cut a length-sorted index array into batches."""
        if self.size:
            return [ordered[start : start + self.size] for start in range(0, len(ordered), self.size)]
        batches, start, longest_source, longest_target = [], 0, 0, 0
        sources, targets = self.source_lengths[ordered].tolist(), self.target_lengths[ordered].tolist()
        for position, (source, target) in enumerate(zip(sources, targets, strict=True)):
            longest_source, longest_target = max(longest_source, source), max(longest_target, target)
            if position > start and (longest_source + longest_target) * (position - start + 1) > self.tokens:
                batches.append(ordered[start:position])
                start, longest_source, longest_target = position, source, target
        if start < len(ordered):
            batches.append(ordered[start:])
        return batches
