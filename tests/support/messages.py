"""Messages for tests, complete and ordinary unless a test says otherwise."""

from typing import Any

from gateway.domain.message import Message, Purpose, Submission

NOON_MS = 1_790_000_000_000  # an ordinary moment, unix ms


def submission(**changes: Any) -> Submission:
    """Return a submission of one message."""
    fields: dict[str, Any] = {
        "id": 1_000,
        "session_no": "018f0000-0000-7000-8000-000000000000",
        "account_id": "acc-one",
        "project_id": "org-one",
        "purpose": Purpose.VERIFICATION,
        "template_id": "UTA000000000001",
        "user_id": None,
        "text": "【Acme】Your code is 246810",
        "created_at": NOON_MS,
    }
    return Submission(**fields | changes)


def message(number: int = 1, **changes: Any) -> Message:
    """Return the message with id 1000 + `number`."""
    fields: dict[str, Any] = {
        "id": 1_000 + number,
        "submission": submission(),
        "purpose": Purpose.VERIFICATION,
        "phone": f"60123{number:06d}",
        "phone_given": f"(60)123{number:06d}",
        "user_id": None,
        "template_id": None,
        "text": None,
        "country": "MY",
        "segments": 1,
        "price": 50_000,
        "accepted_at": NOON_MS,
        "expires_at": NOON_MS + 86_400_000,
        "lane": "alpha",
    }
    return Message(**fields | changes)
