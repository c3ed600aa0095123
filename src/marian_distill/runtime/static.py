"""Decoding over static graphs, with numpy alone: greedy and beam search for ONNX Runtime, RKNN's simulator, a board.

An engine is a `Session`: float32 arrays in, float32 arrays out. A graph takes one sentence, and the decoder one token
at a time; everything that depends on a length (masks, the row of the current token, caches) is made here. Both
searches give what `transformers` gives with its default settings, token for token, on the same logits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from marian_distill.errors import UserError
from marian_distill.runtime.bundle import BundleConfig, read_table

Arrays = list[np.ndarray]
# Decoder inputs that are made at each step; its others are the encoder's, or what it keeps from step to step.
OF_THE_STEP = ("target_states", "position", "target_mask")
NEVER = np.float32(-np.inf)


class Session(Protocol):
    """A graph that an engine has loaded."""

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs for inputs, both float32 and in the order that bundle.json gives."""
        ...


class StaticModel:
    """A bundle's graphs behind two calls: a source in, then one target token after another.

    Args:
        folder: the bundle, for its tables.
        config: its bundle.json.
        sessions: `encoder`, `decoder`, and `projection` where bundle.json has one.
    """

    def __init__(self, folder: str | Path, config: BundleConfig, sessions: Mapping[str, Session]) -> None:
        self.config = config
        self.encoder, self.decoder = sessions["encoder"], sessions["decoder"]
        self.projection = sessions.get("projection")
        tables = {name: read_table(folder, table) for name, table in config["tables"].items()}
        self.source_embeddings, self.target_embeddings = tables["source_embeddings"], tables["target_embeddings"]
        self.positions = tables["positions"].astype(np.float32)
        encoded = {"source_mask", *(tensor["name"] for tensor in config["graphs"]["encoder"]["outputs"])}
        taken = {tensor["name"]: tensor["shape"] for tensor in config["graphs"]["decoder"]["inputs"]}
        self.of_the_step = [name for name in OF_THE_STEP if name in taken]
        kept = [shape for name, shape in taken.items() if name not in {*encoded, *OF_THE_STEP}]
        self.kept = kept if config["cached"] else [taken["target_states"]]

    def encode(self, source: Sequence[int]) -> Arrays:
        """Source ids to what every decoder step needs of them: their mask, then each layer's cross keys and values."""
        length, width = self.config["source_length"], self.config["d_model"]
        if not 0 < len(source) <= length:
            raise UserError(f"{len(source)} source tokens: this bundle takes 1 to {length}")
        states = np.zeros((1, length, width), np.float32)
        states[0, : len(source)] = self.source_embeddings[source]
        states[0, : len(source)] += self.positions[: len(source)]
        mask = np.full((1, 1, length), self.config["mask"], np.float32)
        mask[..., : len(source)] = 0.0
        return [mask, *self.encoder.run([states, mask])]

    def new_past(self) -> Arrays:
        """What the decoder keeps of a target that has no token yet, zeros of three dimensions.

        Keys and values of each layer, or a recurrent layer's window and state; without a cache the embedded tokens.
        """
        return [np.zeros(shape, np.float32) for shape in self.kept]

    @property
    def cached(self) -> bool:
        """Whether the decoder takes what earlier steps left, instead of all tokens so far."""
        return self.config["cached"]

    def step(self, source: Arrays, past: Arrays, number: int, token: int) -> np.ndarray:
        """Logits [vocabulary] after target token `number` (0 is the start token); `past` is brought up to date."""
        state = self.target_embeddings[token].astype(np.float32) + self.positions[number]
        length = self.config["target_length"]
        position = np.zeros((1, 1, length), np.float32)
        position[..., number] = 1.0
        mask = np.full((1, 1, length), self.config["mask"], np.float32)
        mask[..., : number + 1] = 0.0
        given = {"target_states": state[None, None], "position": position, "target_mask": mask}
        if self.cached:
            inputs = [given[name] for name in self.of_the_step]
            output, *new = self.decoder.run([*inputs, *source, *past])
            for kept, left in zip(past, new, strict=True):
                if kept.shape == left.shape:  # a recurrent state
                    kept[...] = left
                else:  # this token's row of keys or values
                    kept[0, number] = left[0, 0]
        else:
            past[0][0, number] = state
            (output,) = self.decoder.run([*past, position, mask, *source])
        if self.projection is not None:
            (output,) = self.projection.run([output])
        return output.reshape(-1)


def forced_logits(model: StaticModel, source: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """Logits [target, vocabulary] along a given target, as if the model had said it itself."""
    encoded, past = model.encode(source), model.new_past()
    previous = [model.config["start_id"], *target[:-1]]
    return np.stack([model.step(encoded, past, number, token) for number, token in enumerate(previous)])


def greedy(model: StaticModel, source: Sequence[int], most: int) -> list[int]:
    """The likeliest token at each step, `</s>` last unless the bound of `most` tokens was met; never `<pad>`."""
    encoded, past = model.encode(source), model.new_past()
    target: list[int] = []
    token = model.config["start_id"]
    for number in range(most):
        token = int(_allowed(model.config, model.step(encoded, past, number, token), number).argmax())
        target.append(token)
        if token == model.config["eos_id"]:
            break
    return target


@dataclass
class Hypothesis:
    """A target so far, the sum of its log-probabilities, and what the decoder keeps of it."""

    target: list[int]
    score: float
    past: Arrays


def beam_search(model: StaticModel, source: Sequence[int], most: int, beam_size: int) -> list[tuple[float, list[int]]]:
    """The targets that `beam_size` hypotheses side by side end in, with mean log-probabilities a token, best first.

    Ends when no running hypothesis is ahead of the worst of `beam_size` ended ones. A hypothesis ends in `</s>` or at
    `most` tokens.
    """
    encoded, eos_id = model.encode(source), model.config["eos_id"]
    running = [Hypothesis([], 0.0, model.new_past())]
    ended: list[tuple[float, list[int]]] = []
    for number in range(most):
        candidates = []
        for hypothesis in running:
            token = hypothesis.target[-1] if number else model.config["start_id"]
            logits = model.step(encoded, hypothesis.past, number, token)
            scores = _allowed(model.config, log_softmax(logits), number) + np.float32(hypothesis.score)
            best = np.argsort(-scores, kind="stable")[: 2 * beam_size]
            candidates += [(float(scores[token]), int(token), hypothesis) for token in best]
        candidates.sort(key=lambda candidate: -candidate[0])

        running = []
        for rank, (score, token, parent) in enumerate(candidates[: 2 * beam_size]):
            if token == eos_id or number == most - 1:
                if rank < beam_size:
                    ended.append((score / (number + 1), [*parent.target, token]))
            elif len(running) < beam_size:
                past = [array.copy() for array in parent.past]
                running.append(Hypothesis([*parent.target, token], score, past))
        ended = sorted(ended, key=lambda pair: -pair[0])[:beam_size]
        if not running or (len(ended) == beam_size and running[0].score / (number + 1) <= ended[-1][0]):
            break
    return ended


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities of logits [vocabulary]."""
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def _allowed(config: BundleConfig, scores: np.ndarray, number: int) -> np.ndarray:
    """Scores without `<pad>`, and without `</s>` as the first token: a translation is never empty."""
    scores = scores.copy()
    scores[config["pad_id"]] = NEVER
    if number == 0:
        scores[config["eos_id"]] = NEVER
    return scores
