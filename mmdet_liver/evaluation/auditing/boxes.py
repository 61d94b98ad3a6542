"""Small facts about annotations that both directions of a review need."""


def is_visible(annotation: dict) -> bool:
    """Whether a reviewer can see the annotation: its box has an area."""
    return min(annotation['bbox'][2:]) > 0
