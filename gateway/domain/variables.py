"""What may stand in the variables of a verification template."""

from collections.abc import Sequence


def bad_variable(values: Sequence[str], longest: int) -> str | None:
    """Return what is wrong with the values of a verification template, or None; never shows a value."""
    for place, value in enumerate(values, 1):
        if not (value.isascii() and value.isalnum() and len(value) <= longest):
            return f"variable {place} must be 1 to {longest} letters or digits"
    return None
