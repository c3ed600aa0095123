"""Which of a teacher's layers each layer of a student starts from."""

from marian_distill.errors import UserError


def parse_layer_map(text: str, student_layers: int, teacher_layers: int, side: str) -> list[int]:
    """Teacher layer of each student layer, from an option such as `0,5` or `first,last`.

    Args:
        text: comma-separated teacher layers, counted from 0, or `first` and `last`.
        student_layers, teacher_layers: how many there are.
        side: "encoder" or "decoder", for the message.
    """
    try:
        named = {"first": 0, "last": teacher_layers - 1}
        layers = [named[part] if part in named else int(part) for part in map(str.strip, text.split(","))]
    except ValueError as error:
        raise UserError(f"{side} layer map {text!r}: expected teacher layers such as 0,5") from error
    if len(layers) != student_layers:
        raise UserError(
            f"{side} layer map {text!r}: {len(layers)} layers given, but the student's {side} has {student_layers}"
        )
    outside = [layer for layer in layers if not 0 <= layer < teacher_layers]
    if outside:
        raise UserError(
            f"{side} layer map {text!r}: layer {outside[0]} is not one of the teacher's 0..{teacher_layers - 1}"
        )
    return layers


def spread_layers(student_layers: int, teacher_layers: int) -> list[int]:
    """Evenly spaced teacher layers, the first and the last among them."""
    if student_layers == 1:
        return [teacher_layers - 1]
    return [round(index * (teacher_layers - 1) / (student_layers - 1)) for index in range(student_layers)]
