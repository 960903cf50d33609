"""Phone numbers of a request: read, checked and freed of repetitions."""

from collections.abc import Iterable

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.flow.accept import Recipient
from routing.number import NumberReader

MAX_NUMBERS = 1000  # of SendUSMSMessage
LONGEST_GIVEN = 40  # characters of a number as written; no form needs more
_SHOWN = 10


def read_recipients(given: Iterable[str], reader: NumberReader) -> list[Recipient]:
    """Return a recipient for each different number, in order, as first written.

    Raises `Refusal` 18014 that names the bad ones.
    """
    read = reader.read
    found: dict[str, Recipient] = {}
    bad: list[str] = []
    for text in given:
        number = read(text) if len(text) <= LONGEST_GIVEN else None
        if number is None:
            bad.append(text)
        elif number.digits not in found:
            found[number.digits] = Recipient(number.digits, text, number.country)
    if bad:
        raise Refusal(RetCode.PHONE_INVALID, _named(bad))
    return list(found.values())


def _named(bad: list[str]) -> str:
    shown = ", ".join(text[:LONGEST_GIVEN] for text in bad[:_SHOWN])
    return shown if len(bad) <= _SHOWN else f"{shown} and {len(bad) - _SHOWN} more"
