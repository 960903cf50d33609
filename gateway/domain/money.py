"""Money: whole micro-units of one currency. Decimal text only at the edges, floats nowhere."""

import re

MICRO = 1_000_000  # micro-units in one unit of currency
MAX_AMOUNT = 2**62  # leaves room to add any two amounts in a 64-bit column

_AMOUNT = re.compile(r"([+-]?)([0-9]{1,13})(?:\.([0-9]{1,6}))?", re.ASCII)


def parse_amount(text: str) -> int:
    """Return the micro-units `text` ("12", "0.045", "-3.5") stands for, exactly; raises ValueError."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an amount with at most 6 decimals: {text[:40]!r}")
    sign, units, decimals = match.groups()
    micro = int(units) * MICRO + int((decimals or "").ljust(6, "0"))
    if micro > MAX_AMOUNT:
        raise ValueError(f"amount too large: {text[:40]!r}")
    return -micro if sign == "-" else micro


def format_amount(micro: int) -> str:
    """Return `micro` as decimal text with two to six decimals; `parse_amount` reads it back unchanged."""
    units, rest = divmod(abs(micro), MICRO)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micro < 0 else ''}{units}.{decimals}"
