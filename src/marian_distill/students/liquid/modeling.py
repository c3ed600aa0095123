"""The liquid student: a Transformer encoder, and a decoder that keeps a state of fixed size instead of all its past.

One embedding table serves source, target and output, as in Marian; `<pad>` is the last piece, its row is zero, and
decoding starts from it.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from marian_distill.students.dropout import dropout
from marian_distill.students.liquid.cells import Cell
from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.liquid.layers import (
    AddAndNormalise,
    Attention,
    Convolution,
    DecoderLayer,
    EncoderLayer,
    FeedForward,
    Past,
    TargetPacking,
)
from marian_distill.students.packing import Packing
from marian_distill.students.projection import LayerStates


@dataclass
class LiquidCache:
    """What `generate` keeps between tokens: none of it grows with the target.

    Attributes:
        bias: [batch, 1, source], −∞ where the source is padded.
        memories: of each layer, the keys and values of the encoder's output, [batch, source, d].
        pasts: of each layer, [batch, …].
        length: target tokens so far.
    """

    bias: Tensor
    memories: list[tuple[Tensor, Tensor]]
    pasts: list[Past]
    length: int = 0

    def get_seq_length(self) -> int:
        """Target tokens so far, as transformers asks for them."""
        return self.length

    def reorder_cache(self, chosen: Tensor) -> None:
        """Go on with some of the hypotheses, [batch]; beams of one sentence share its memory."""
        self.pasts = [Past(*(part.index_select(0, chosen) for part in past)) for past in self.pasts]


class Positions(nn.Module):
    """Sinusoidal positions: sines in the first half of the width, cosines in the second."""

    table: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("table", torch.empty(length, width), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Compute them."""
        length, width = self.table.shape
        frequencies = torch.exp(torch.arange(width // 2) * (-2 * math.log(10000.0) / width))
        angles = torch.arange(length)[:, None] * frequencies
        with torch.no_grad():
            self.table.copy_(torch.cat([angles.sin(), angles.cos()], dim=1))


# What draws its own weights. A layer's parts come before the layer.
BLOCKS = (Positions, AddAndNormalise, FeedForward, Attention, Convolution, DecoderLayer, Cell)


class LiquidEncoder(nn.Module):
    """Source tokens to what the decoder reads, by plain operations on padded tensors, as `generate` calls it."""

    main_input_name = "input_ids"

    def __init__(self, config: LiquidConfig, embeddings: nn.Embedding, positions: Positions) -> None:
        super().__init__()
        self.embeddings, self.positions = embeddings, positions
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **unused: Any) -> BaseModelOutput:
        """Of ids [batch, source] and their mask, which has a 0 where the source is padded."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        states = self.embeddings(input_ids) * self.embeddings.embedding_dim**0.5
        states = states + self.positions.table[: input_ids.shape[1]]
        bias = source_bias(mask, states.dtype)
        for layer in cast(list[EncoderLayer], self.layers):
            states = layer.read(states, bias)
        return BaseModelOutput(last_hidden_state=states)  # pyright: ignore[reportArgumentType]


class LiquidModel(PreTrainedModel, GenerationMixin):
    """Encoder, decoder, and the projection to the vocabulary by the embedding table."""

    config_class = LiquidConfig
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _is_stateful = True
    _tied_weights_keys = {"encoder.embeddings.weight": "embeddings.weight"}  # noqa: RUF012

    config: LiquidConfig

    def __init__(self, config: LiquidConfig) -> None:
        super().__init__(config)
        self.embeddings = nn.Embedding(config.vocab_size, config.d_model, config.pad_token_id)
        self.positions = Positions(config.max_position_embeddings, config.d_model)
        self.encoder = LiquidEncoder(config, self.embeddings, self.positions)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.bias = nn.Buffer(torch.zeros(config.vocab_size))
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Embeddings N(0, 1/d), so that scaled ones have unit variance; every block draws its own weights."""
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.d_model**-0.5)
            module.weight[self.config.pad_token_id].zero_()
        elif isinstance(module, BLOCKS):
            module.reset_parameters()

    @property
    def decoder_layers(self) -> list[DecoderLayer]:
        """The decoder's layers, an nn.ModuleList."""
        return cast(list[DecoderLayer], self.layers)

    # Training

    def target_states(
        self,
        input_ids: Tensor,
        source: Packing,
        decoder_input_ids: Tensor,
        target: Packing,
        layers: LayerStates | None = None,
    ) -> Tensor:
        """States of the last decoder layer, [target tokens, d], in autocast's type or the weights' own.

        Args:
            input_ids, decoder_input_ids: [batch, source] and [batch, target].
            source, target: where their tokens stand.
            layers: filled with what each layer made. A cell keeps a state in place of attention over the target.
        """
        device = input_ids.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else self.dtype
        run = partial(checkpoint, use_reentrant=False) if self.is_activation_checkpointing and self.training else _call
        with torch.autocast(device_type=device, enabled=False):
            memory, states = self._embed((source, target), (input_ids, decoder_input_ids), dtype)
            for layer in self.encoder.layers:
                memory, attention = run(layer, memory, source)
                if layers is not None:
                    layers.keep("encoder", memory, {"encoder": attention})
            steps = TargetPacking.of(target)
            for layer in self.layers:
                states, attention = run(layer, states, steps, memory, source)
                if layers is not None:
                    layers.keep("decoder", states, {"decoder to encoder": attention})
        return states

    def _embed(
        self, packings: tuple[Packing, Packing], ids: tuple[Tensor, Tensor], dtype: torch.dtype
    ) -> list[Tensor]:
        """Embedded source and target tokens, of one look-up, so that the table's gradient is made once."""
        tokens = [packing.pack(each) for packing, each in zip(packings, ids, strict=True)]
        rows = functional.embedding(torch.cat(tokens), self.embeddings.weight, self.config.pad_token_id)
        embedded = []
        for packing, states in zip(packings, rows.split([len(each) for each in tokens]), strict=True):
            states = states * self.config.d_model**0.5 + self.positions.table[packing.positions()]
            embedded.append(dropout(states.to(dtype), self.config.dropout, self.training))
        return embedded

    # Decoding

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        encoder_outputs: BaseModelOutput | None = None,
        past_key_values: LiquidCache | None = None,
        labels: Tensor | None = None,
        **unused: Any,
    ) -> Seq2SeqLMOutput:
        """Logits [batch, target, vocabulary] of the given target tokens, and what to go on from.

        Args:
            input_ids, attention_mask: [batch, source].
            decoder_input_ids: [batch, target]; by default `<pad>` and all labels but the last.
            encoder_outputs: the encoder's, instead of `input_ids`.
            past_key_values: what earlier calls left, in place of the encoder's output.
            labels: [batch, target], −100 where padded: also gives the mean cross-entropy.
            unused: what transformers passes to any model.
        """
        if decoder_input_ids is None:
            if labels is None:
                raise ValueError("give decoder_input_ids or labels")
            decoder_input_ids = self.shift(labels)
        cache = past_key_values
        if cache is None:
            encoded = encoder_outputs or cast(BaseModelOutput, self.encoder(input_ids, attention_mask))
            cache = self.new_cache(cast(Tensor, encoded.last_hidden_state), attention_mask)
        states = torch.cat([self._step(cache, ids) for ids in decoder_input_ids.split(1, dim=1)], dim=1)
        logits = functional.linear(states, self.embeddings.weight, self.bias)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten())
        return Seq2SeqLMOutput(loss=loss, logits=logits, past_key_values=cache)  # pyright: ignore[reportArgumentType]

    def shift(self, labels: Tensor) -> Tensor:
        """Decoder inputs of labels [batch, target]: the start token, then each label but the last."""
        shifted = labels.roll(1, dims=1)
        shifted[:, 0] = self.config.decoder_start_token_id
        return shifted.masked_fill(shifted < 0, cast(int, self.config.pad_token_id))

    def new_cache(self, memory: Tensor, mask: Tensor | None) -> LiquidCache:
        """What is kept before the first target token; `memory` is the encoder's output [batch, source, d]."""
        mask = memory.new_ones(memory.shape[:2]) if mask is None else mask
        return LiquidCache(
            source_bias(mask, memory.dtype),
            [layer.attention.remember(memory) for layer in self.decoder_layers],
            [layer.new_past(len(memory), memory) for layer in self.decoder_layers],
        )

    def _step(self, cache: LiquidCache, ids: Tensor) -> Tensor:
        """Last states [batch, 1, d] of the next tokens [batch, 1]; brings the cache up to date."""
        states = self.embeddings(ids) * self.config.d_model**0.5 + self.positions.table[cache.length]
        for number, layer in enumerate(self.decoder_layers):
            states, cache.pasts[number] = layer.step(states, cache.pasts[number], *cache.memories[number], cache.bias)
        cache.length += 1
        return states

    def prepare_inputs_for_generation(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input_ids: Tensor, past_key_values: LiquidCache | None = None, **inputs: Any
    ) -> dict[str, Any]:
        """The target tokens that the cache has not seen."""
        seen = 0 if past_key_values is None else past_key_values.length
        return {
            "decoder_input_ids": input_ids[:, seen:],
            "past_key_values": past_key_values,
            "encoder_outputs": inputs["encoder_outputs"],
            "attention_mask": inputs.get("attention_mask"),
        }

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        return False

    def get_encoder(self, modality: str | None = None) -> nn.Module:
        """What `generate` runs once."""
        return self.encoder

    def get_input_embeddings(self) -> nn.Module:
        """The table of source, target and output."""
        return self.embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Put another table in its place."""
        self.embeddings = self.encoder.embeddings = cast(nn.Embedding, value)


def source_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """What attention adds to scores of source tokens, [batch, 1, source]: −∞ where `mask` [batch, source] is 0."""
    bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return bias.masked_fill(mask == 0, float("-inf"))[:, None]


def _call(layer: nn.Module, *arguments: Any) -> tuple[Tensor, Tensor | None]:
    return layer(*arguments)
