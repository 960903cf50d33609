"""Step 1 of 4: take a submission from a customer. Next: `dispatch`."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.message import Purpose
from gateway.flow.funds import InsufficientFunds as InsufficientFunds


@dataclass(slots=True)
class Recipient:
    """One number that passed every check; `given` is how the customer wrote it."""

    phone: str  # E.164 digits
    given: str
    country: str  # ISO 3166 region
    user_id: str | None = None


@dataclass(slots=True)
class Draft:
    """One text and those who get it."""

    template_id: str
    purpose: Purpose
    text: str
    recipients: list[Recipient]


@dataclass(slots=True)
class Request:
    """A submission that passed every check of the API."""

    account_id: str
    project_id: str
    user_id: str | None
    drafts: list[Draft]
    request_key: str  # what makes a repeated request the same
    answer: Callable[[str], str]  # session number → the answer, stored to be replayed


@dataclass(slots=True)
class Accepted:
    """The submission is stored: it survives power loss."""

    session_no: str
    answer: str
