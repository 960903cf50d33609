"""The areas of the API, gathered: one line for each."""

from collections.abc import Mapping, Sequence

from tests.actions import records, review, risk, sending
from tests.actions.declared import Declared
from tests.actions.world import Maker

DECLARED: Mapping[str, Declared] = {
    **sending.DECLARED,
    **records.DECLARED,
    **review.DECLARED,
    **risk.DECLARED,
}

MAKERS: Sequence[Maker] = (*records.MAKERS, *review.MAKERS)
