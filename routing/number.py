"""Phone numbers as customers write them, and as logs may show them."""

import unicodedata
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from routing.plan import NumberPlan

LONGEST = 15  # digits of E.164
SHORTEST = 7  # digits; what is shorter is a short code, whatever it begins with

# what people put between digits: hyphens and dashes of all kinds, dots, parentheses, slashes, joiners
_SEPARATORS = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212.()/\u200b\u200e\u202a\u202c\u2060\ufeff")


class Number(NamedTuple):
    """A number that can be sent to."""

    digits: str  # E.164 without +
    country: str  # ISO 3166 region, or `routing.plan.WORLD`


class NumberReader:
    """Reads the written forms of the customer API.

    `(60)123456789` and `(0060)123456789` name their country, `+60123456789` too; bare digits belong to
    the default country, with or without its trunk prefix. White space around is dropped. Anything else
    (letters, inner spaces, hyphens, full-width digits, a bare `00…`) is refused, never guessed at.
    """

    __slots__ = ("_code", "_lengths", "_locate", "_plan", "_trunk")

    def __init__(self, plan: NumberPlan, default_country: str) -> None:
        """Raises `ValueError` if there is no such country."""
        home = plan.home(default_country)
        self._plan = plan
        self._locate = plan.locate
        self._code = home.code
        self._trunk = home.trunk
        self._lengths = home.lengths

    def read(self, given: str) -> Number | None:
        """Return the number, or None if the form, the calling code or the length is wrong."""
        text = given.strip()
        if text[:1] == "(":
            digits = self._in_parentheses(text)
        elif text[:1] == "+":
            digits = text[1:]
        else:
            digits = self._domestic(text)
        # isdigit alone takes the digits of every script
        if not (digits.isascii() and digits.isdigit()):
            return None
        country = self._locate(digits)
        return None if country is None else Number(digits, country)

    def meant(self, given: str) -> tuple[str, ...]:
        """Return the numbers that may be meant, for a search: whoever asks writes as they please.

        Spaces, hyphens, dots and full-width digits are taken too; `+`, `00` and parentheses name the country.
        Bare digits may be either form, so both are returned; () if it is no number at all.
        """
        text = unicodedata.normalize("NFKC", given).strip().replace("(0)", "")
        digits = "".join(char for char in text if char not in _SEPARATORS and not char.isspace())
        international = text[:1] in ("+", "(") or digits.startswith("00")
        digits = digits.removeprefix("+").removeprefix("00")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST):
            return ()
        national = None if international else self.read(digits)
        return tuple(dict.fromkeys((digits, national.digits) if national else (digits,)))

    def _in_parentheses(self, text: str) -> str:
        """Return the digits if the parentheses hold exactly a calling code, else ""."""
        code, _, national = text[1:].partition(")")
        code = code.removeprefix("00")
        digits = code + national
        known = self._plan.calling_code(digits)
        return digits if known is not None and known.code == code else ""

    def _domestic(self, text: str) -> str:
        trunk = self._trunk
        if text.startswith("00"):
            return ""
        if trunk and text.startswith(trunk):
            code, rest = self._code, text[len(trunk) :]
            # "0" never begins a number proper; "1" or "8" may, so there the length decides
            as_given = trunk != "0" and len(code) + len(text) in self._lengths
            if not as_given and len(code) + len(rest) in self._lengths:
                return code + rest
        return self._code + text


def mask(number: str) -> str:
    """Return `number`, however written, with all but its ends hidden: for logs and errors."""
    hidden = len(number) - 6
    return f"{number[:4]}{'*' * hidden}{number[-2:]}" if hidden >= 3 else "*" * len(number)


def spell(digits: str, home: str) -> str:
    """Return E.164 digits as the customer API writes them: `(60)123`, and bare those of calling code `home`.

    What begins with no calling code stays as it is: a short code, a name.
    """
    if not (digits.isascii() and digits.isdigit()):
        return digits
    for length in (1, 2, 3):  # no calling code begins another
        code = digits[:length]
        if int(code or 0) in COUNTRY_CODE_TO_REGION_CODE and len(digits) >= SHORTEST:
            return digits[length:] if code == home else f"({code}){digits[length:]}"
    return digits
