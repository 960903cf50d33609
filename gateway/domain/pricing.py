"""What a segment costs: the price lines of the settings, looked up in one step."""

from collections.abc import Iterable

from config.schema import PURPOSES, PriceSettings
from gateway.domain.message import Purpose
from gateway.domain.money import parse_amount

ANY = "*"


class PriceList:
    """Immutable prices; the most specific line wins: country and purpose, country, purpose, everything."""

    def __init__(self, lines: Iterable[PriceSettings]) -> None:
        """Read the lines; raises ValueError naming a bad amount, an unknown purpose or a line said twice."""
        self._lines: dict[tuple[str, str], int] = {}
        for line in lines:
            self._add(line)
        # filled on demand: as many entries as there are countries in the number plan, times three
        self._found: dict[tuple[str, int], int | None] = {}

    def _add(self, line: PriceSettings) -> None:
        if line.purpose not in (*PURPOSES, ANY):
            raise ValueError(f"price: unknown purpose {line.purpose!r}")
        key = (line.country.upper(), line.purpose)
        if key in self._lines:
            raise ValueError(f"price: country {line.country!r}, purpose {line.purpose!r} is given twice")
        amount = parse_amount(line.amount)
        if amount < 0:
            raise ValueError(f"price: {line.amount!r} is negative")
        self._lines[key] = amount

    def price(self, country: str, purpose: Purpose, segments: int) -> int | None:
        """Return the micro-units for `segments` segments, or None where nothing is on offer."""
        try:
            unit = self._found[country, purpose]
        except KeyError:
            unit = self._found[country, purpose] = self._most_specific(country, purpose)
        return None if unit is None else unit * segments

    def _most_specific(self, country: str, purpose: Purpose) -> int | None:
        word = PURPOSES[purpose - 1]
        for key in ((country, word), (country, ANY), (ANY, word), (ANY, ANY)):
            if key in self._lines:
                return self._lines[key]
        return None
