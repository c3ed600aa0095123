"""`LiquidModel` as a `Student`, and what a config of one would compute."""

from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.liquid.modeling import LiquidModel
from marian_distill.students.packing import Packing
from marian_distill.students.projection import IGNORED_LABEL, LayerStates, Projection
from marian_distill.students.student import Batch, Student, Work


class LiquidStudent(Student, LiquidModel):
    """Saved and loaded as a plain `LiquidModel`."""

    plain_class = LiquidModel
    gives_layers = True

    def project(self, batch: Batch) -> Projection:
        """Run encoder and decoder; states of the target tokens [tokens, d].

        Args:
            batch: of `PairCollator`.
        """
        return self._project(batch, None)

    def project_with_layers(self, batch: Batch) -> tuple[Projection, LayerStates]:
        """The same, with the states and the attention of every layer; the latter with eager attention alone."""
        layers = LayerStates({}, {})
        return self._project(batch, layers), layers

    def _project(self, batch: Batch, layers: LayerStates | None) -> Projection:
        source = Packing.of(batch["attention_mask"], batch["source_places"])
        target = Packing.of(batch["labels"] != IGNORED_LABEL, batch["scored"])
        states = self.target_states(batch["input_ids"], source, batch["decoder_input_ids"], target, layers)
        return Projection(states, self.embeddings.weight, self.bias)

    def work(self, batch: Batch) -> Work:
        """Tokens of both sides."""
        source, target = len(batch["source_places"]), len(batch["scored"])
        padded = batch["input_ids"].numel() + batch["labels"].numel()
        return Work(source + target, padded, forward_operations(self.config, source, target))


def forward_operations(config: LiquidConfig, source_tokens: float, target_tokens: float) -> float:
    """Multiplications and additions of the matrix products of one forward pass; training takes three times as many."""
    d, feed_forward = config.d_model, 2 * config.d_model * config.ffn_dim
    encoder = config.encoder_layers * (4 * d * d + feed_forward)
    memory = config.decoder_layers * 2 * d * d  # keys and values
    decoder = config.decoder_layers * (_cell_products(config) + 2 * d * d + feed_forward) + d * config.vocab_size
    return 2.0 * ((encoder + memory) * source_tokens + decoder * target_tokens)


def _cell_products(config: LiquidConfig) -> float:
    """Multiplications of a cell and of the projection of what it gives, a token."""
    d, units = config.d_model, config.units
    if config.cell == "ssru":
        return 3 * d * d
    if config.cell == "gru":
        return 3 * units * (d + units) + units * d
    motor = config.motor_units
    command = max(int(0.4 * (units - motor)), 1)  # as ncps shares them out
    inter = units - motor - command
    layers = [(d, inter), (inter, command), (command, motor)]
    if config.cell == "cfc":
        return sum(3 * size * (given + size) for given, size in layers) + motor * d
    density = 1.0 - config.sparsity
    sensory, inner = (sum(density * a * b for a, b in some) for some in (layers[:1], layers[1:]))
    return 2 * (sensory * units + inner * units * config.ode_unfolds) + motor * d
