"""Carrier message ids: the same one written differently in the answer and in the receipt.

Ids are matched by one canonical text. `candidate_ids` goes from a receipt to the answers it may belong
to; `receipt_ids` goes the other way, for receipts that came first.
"""

import re
from collections.abc import Callable

from config.schema import ReceiptIdForm

_Convert = Callable[[str, ReceiptIdForm], str | None]

_FORMS = (ReceiptIdForm.SAME, ReceiptIdForm.ANSWER_HEX, ReceiptIdForm.ANSWER_DECIMAL)
_ENOUGH = 5  # matches that only one form explains, in a row, before the others are no longer tried
_DOUBT = 100  # receipts in a row that match nothing before a learned form is tried anew

_is_decimal = re.compile(r"[0-9]{1,64}").fullmatch
_is_hex = re.compile(r"[0-9a-f]{1,64}").fullmatch


def canonical_id(raw: str) -> str:
    """Return a carrier's id without what differs by habit: case, leading zeros, spaces around.

    It stays text: `0e999f21` and twenty digits are ids, not numbers. Empty only if `raw` is blank.
    """
    text = raw.strip().lower()
    return text.lstrip("0") or text[:1]


def candidate_ids(
    receipt_id: str, form: ReceiptIdForm, learned: ReceiptIdForm | None = None
) -> tuple[str, ...]:
    """Return the canonical answer ids that `receipt_id` may mean, in the order to try.

    One for a form that is set or learned; for AUTO up to three; none for a blank id.
    """
    return _written(canonical_id(receipt_id), form, learned, _as_answered)


def receipt_ids(answer_id: str, form: ReceiptIdForm, learned: ReceiptIdForm | None = None) -> tuple[str, ...]:
    """Return the canonical receipt ids that may mean `answer_id`: the inverse of `candidate_ids`."""
    return _written(canonical_id(answer_id), form, learned, _as_in_receipt)


def may_name_same(one: str, other: str) -> bool:
    """Return whether two spellings can be one id."""
    return canonical_id(one) in candidate_ids(other, ReceiptIdForm.AUTO)


def same_handset(source: str, phone: str) -> bool:
    """Return whether a receipt's source can be the handset `phone` (E.164 digits).

    Carriers may leave out the country code or add a prefix; fewer than seven digits prove nothing.
    """
    if source == phone:
        return True
    digits = "".join(filter(str.isdigit, source)).lstrip("0")
    if len(digits) < 7:
        return True
    return digits.endswith(phone[-7:]) and (phone.endswith(digits) or digits.endswith(phone))


def _as_answered(canonical: str, form: ReceiptIdForm) -> str | None:
    """Return how an id seen in a receipt was written in the answer, None if it cannot have been."""
    if form is ReceiptIdForm.ANSWER_HEX:
        return f"{int(canonical):x}" if _is_decimal(canonical) else None
    if form is ReceiptIdForm.ANSWER_DECIMAL:
        return str(int(canonical, 16)) if _is_hex(canonical) else None
    return canonical


def _as_in_receipt(canonical: str, form: ReceiptIdForm) -> str | None:
    if form is ReceiptIdForm.ANSWER_HEX:
        return _as_answered(canonical, ReceiptIdForm.ANSWER_DECIMAL)
    if form is ReceiptIdForm.ANSWER_DECIMAL:
        return _as_answered(canonical, ReceiptIdForm.ANSWER_HEX)
    return canonical


def _written(
    canonical: str, form: ReceiptIdForm, learned: ReceiptIdForm | None, convert: _Convert
) -> tuple[str, ...]:
    if not canonical:
        return ()  # no id names no message, even if some answer came without one too
    known = learned if form is ReceiptIdForm.AUTO else form
    if known is not None:
        return (convert(canonical, known) or canonical,)
    return tuple(dict.fromkeys(id_ for one in _FORMS if (id_ := convert(canonical, one)) is not None))


class IdForms:
    """Learns, for one channel set to AUTO, how its receipts write the ids of its answers."""

    __slots__ = ("_evidence", "_form", "_leaning", "_misses", "learned")

    def __init__(self, form: ReceiptIdForm = ReceiptIdForm.AUTO) -> None:
        self._form = form
        self._leaning: ReceiptIdForm | None = None
        self._evidence = 0
        self._misses = 0
        self.learned: ReceiptIdForm | None = None

    def candidates(self, receipt_id: str) -> tuple[str, ...]:
        """Return the answer ids to try for a receipt, best first."""
        return candidate_ids(receipt_id, self._form, self.learned)

    def early(self, answer_id: str) -> tuple[str, ...]:
        """Return the canonical receipt ids under which a receipt may have come before this answer."""
        return receipt_ids(answer_id, self._form, self.learned)

    def matched(self, receipt_id: str, match_id: str) -> None:
        """Learn from a receipt that was matched to the answer with the canonical id `match_id`."""
        self._misses = 0
        if self.learned is not None or self._form is not ReceiptIdForm.AUTO:
            return
        canonical = canonical_id(receipt_id)
        explained = [form for form in _FORMS if _as_answered(canonical, form) == match_id]
        if len(explained) != 1:
            return
        self._evidence = self._evidence + 1 if explained[0] is self._leaning else 1
        self._leaning = explained[0]
        if self._evidence >= _ENOUGH:
            self.learned = self._leaning

    def missed(self) -> None:
        """Note a receipt that matched nothing; after many in a row what was learned is forgotten."""
        self._misses += 1
        if self._misses >= _DOUBT:
            self.learned = self._leaning = None
            self._evidence = self._misses = 0
