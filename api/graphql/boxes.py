"""Boxes in the schema: where in a picture a face is."""

import strawberry

from registry.encoders.targets import Box


@strawberry.input(
    description="A rectangle in pixels of the picture, or of a video's frames, as a viewer shows"
    " them: its upper left corner, its width and its height."
)
class BoxInput:
    """A rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int


def box_of(given: BoxInput | None) -> Box | None:
    """The box; InvalidError for one without an inside."""
    if given is None:
        return None
    return Box.checked(given.x, given.y, given.width, given.height)
