"""A message's life as people read it: times in UTC, money as decimal text, numbers masked for most."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.domain.money import format_amount
from gateway.logs import mask_number, mask_text

MONEY = frozenset({"price", "charged", "amount", "reserved"})
NUMBERS = ("phone", "phone_given")


def readable(value: Any, name: str = "") -> Any:
    """Return stored values as people and JSON want them."""
    if isinstance(value, Mapping):
        return {key: readable(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item, name) for item in value]
    if isinstance(value, int) and (name == "at" or name.endswith("_at")):
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    return format_amount(value) if name in MONEY and isinstance(value, int) else value


def masked(life: Mapping[str, Any]) -> dict[str, Any]:
    """Return a readable life, or the facts alone, for who may not see whom it went to, or what it said."""
    hidden: dict[str, Any] = {name: mask_number(life[name]) for name in NUMBERS if life.get(name)}
    if "timeline" in life:
        hidden["timeline"] = [{**step, "detail": mask_text(step["detail"])} for step in life["timeline"]]
    hidden |= {"text": None} if "text" in life else {}
    return {**life, **hidden}
