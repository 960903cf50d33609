"""What the simulated carrier does when nothing goes wrong: outcomes, delays, message ids. Pure, by seed."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from smpplib import consts

from carriers.results import ReceiptState

NO_RECEIPT = "none"
_TOLERANCE = 1e-9  # a sum of decimal fractions is rarely exactly one


class MessageIdForm(StrEnum):
    """How the carrier writes the id it gives a message."""

    DECIMAL = "decimal"
    HEX = "hex"
    UUID = "uuid"


class ReceiptIdForm(StrEnum):
    """How the carrier writes that id in a receipt; the last two only for ids that are numbers."""

    SAME = "same"
    DECIMAL = "decimal"
    HEX = "hex"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a message can end, as a receipt tells it."""

    state: ReceiptState
    stat: str  # the word of the receipt's text (SMPP 3.4 appendix B)
    number: int  # message_state (§5.2.28)
    error: str  # the err: field; these values are this carrier's own

    @property
    def delivered(self) -> str:
        """The dlvrd: field: how many of the one message were delivered."""
        return "001" if self.state is ReceiptState.DELIVERED else "000"


OUTCOMES = {
    outcome.state.value: outcome
    for outcome in (
        Outcome(ReceiptState.DELIVERED, "DELIVRD", consts.SMPP_MESSAGE_STATE_DELIVERED, "000"),
        Outcome(ReceiptState.UNDELIVERED, "UNDELIV", consts.SMPP_MESSAGE_STATE_UNDELIVERABLE, "001"),
        Outcome(ReceiptState.EXPIRED, "EXPIRED", consts.SMPP_MESSAGE_STATE_EXPIRED, "003"),
        Outcome(ReceiptState.DELETED, "DELETED", consts.SMPP_MESSAGE_STATE_DELETED, "004"),
        Outcome(ReceiptState.REJECTED, "REJECTD", consts.SMPP_MESSAGE_STATE_REJECTED, "005"),
        Outcome(ReceiptState.UNKNOWN, "UNKNOWN", consts.SMPP_MESSAGE_STATE_UNKNOWN, "006"),
        Outcome(ReceiptState.ACCEPTED, "ACCEPTD", consts.SMPP_MESSAGE_STATE_ACCEPTED, "000"),
        Outcome(ReceiptState.ENROUTE, "ENROUTE", consts.SMPP_MESSAGE_STATE_ENROUTE, "000"),
    )
}


@dataclass(frozen=True, slots=True)
class OutcomeMix:
    """Which share of the messages ends how; a None outcome never gets a receipt."""

    outcomes: tuple[Outcome | None, ...]
    bounds: tuple[float, ...]  # cumulative shares; what they leave of 1 belongs to the last outcome

    @classmethod
    def parse(cls, text: str) -> "OutcomeMix":
        """Read `delivered`, `none` or `delivered=0.97,undelivered=0.02,expired=0.01`.

        One word may go without a share: it takes what the others leave. Raises ValueError that says
        which part is wrong.
        """
        shares = _shares(text)
        total = 0.0
        bounds = []
        for share in list(shares.values())[:-1]:
            total += share
            bounds.append(total)
        return cls(tuple(OUTCOMES.get(word) for word in shares), tuple(bounds))

    def draw(self, random: Random) -> Outcome | None:
        """Pick the outcome of one message."""
        if not self.bounds:
            return self.outcomes[0]
        return self.outcomes[bisect_right(self.bounds, random.random())]


def _shares(text: str) -> dict[str, float]:
    """Return every word of a mix with its share; they add up to one."""
    shares: dict[str, float] = {}
    rest: str | None = None
    for item in text.split(","):
        word, equals, number = (piece.strip() for piece in item.partition("="))
        if word != NO_RECEIPT and word not in OUTCOMES:
            known = ", ".join([*OUTCOMES, NO_RECEIPT])
            raise ValueError(f"receipts: {word!r} is no outcome (one of {known})")
        if word in shares:
            raise ValueError(f"receipts: {word!r} is given twice")
        shares[word] = _share(word, number) if equals else 0.0
        if not equals and rest is not None:
            raise ValueError(f"receipts: {rest!r} and {word!r} both lack a share; only one can take the rest")
        if not equals:
            rest = word
    total = sum(shares.values())
    if total > 1 + _TOLERANCE or (rest is None and total < 1 - _TOLERANCE):
        raise ValueError(f"receipts: the shares add up to {total:g}, not to 1")
    if rest is not None:
        shares[rest] = 1 - total
    return shares


def _share(word: str, number: str) -> float:
    """Read one share, a number from 0 to 1."""
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"receipts: the share of {word!r} must be a number from 0 to 1, not {number!r}")
    return share


@dataclass(frozen=True, slots=True)
class Delay:
    """A span of time drawn anew each time: fixed, even between two bounds, or exponential."""

    low: float
    high: float  # equal to `low` when fixed
    mean: float = 0.0  # > 0: exponential, the bounds are unused

    @classmethod
    def parse(cls, text: str) -> "Delay":
        """Read seconds as `2` (always), `0.5-3` (evenly between) or `exp:1.5` (exponential, that mean)."""
        try:
            if text.startswith("exp:"):
                delay = cls(0.0, 0.0, float(text[4:]))
            else:
                low, dash, high = text.partition("-")
                delay = cls(float(low), float(high if dash else low))
        except ValueError:
            raise ValueError(f"delay: {text!r} is not `2`, `0.5-3` or `exp:1.5`") from None
        if not (0 <= delay.low <= delay.high < float("inf")) or not (0 <= delay.mean < float("inf")):
            raise ValueError(f"delay: {text!r} must rise and not be negative")
        return delay

    @property
    def none(self) -> bool:
        """Whether it is always zero."""
        return self.high == 0 and self.mean == 0

    def draw(self, random: Random) -> float:
        """Return one delay in seconds."""
        if self.mean:
            return random.expovariate(1 / self.mean)
        if self.low == self.high:
            return self.low
        return random.uniform(self.low, self.high)


@dataclass(slots=True)
class IdMint:
    """Gives out message ids in the carrier's form, rising, never one twice."""

    next_number: int
    form: MessageIdForm = MessageIdForm.DECIMAL
    receipt_form: ReceiptIdForm = ReceiptIdForm.SAME
    _write: Callable[[int], str] = field(init=False)

    def __post_init__(self) -> None:
        if self.form is MessageIdForm.UUID and self.receipt_form is not ReceiptIdForm.SAME:
            raise ValueError("receipt id form: an id that is a UUID cannot be written as a number")
        self._write = _WRITERS[self.form]

    def mint(self) -> str:
        """Return the next id, as the answer gives it."""
        number = self.next_number
        self.next_number = number + 1
        return self._write(number)

    def in_receipt(self, message_id: str) -> str:
        """Return `message_id` as the receipt gives it; one of another form, from an old record, as it is."""
        if self.receipt_form is ReceiptIdForm.SAME:
            return message_id
        try:
            number = int(message_id, 16 if self.form is MessageIdForm.HEX else 10)
        except ValueError:
            return message_id
        return format(number, "X" if self.receipt_form is ReceiptIdForm.HEX else "d")


def _uuid(number: int) -> str:
    """Write `number` as a version 8 UUID (RFC 9562 §5.8: contents are the maker's own)."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


_WRITERS: dict[MessageIdForm, Callable[[int], str]] = {
    MessageIdForm.DECIMAL: str,
    MessageIdForm.HEX: "{:x}".format,
    MessageIdForm.UUID: _uuid,
}
