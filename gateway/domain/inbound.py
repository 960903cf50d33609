"""A handset's message: how it came together, whose it is, what it wishes; closed lists for all of that."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from hashlib import blake2b
from typing import Any


class Completion(IntEnum):
    """Why a message was taken for finished. Values are stored: add, never renumber."""

    WHOLE = 1  # it came in one piece
    JOINED = 2  # every part came
    TIMED_OUT = 3  # the time for the missing parts is over
    MEMORY_FULL = 4  # too many parts were waiting; the oldest message gave way

    @property
    def incomplete(self) -> bool:
        """Whether parts are missing."""
        return self in (Completion.TIMED_OUT, Completion.MEMORY_FULL)


class Flag(IntFlag):
    """What is odd about a message. Values are stored."""

    CONFLICT = 1  # a part came twice with different contents: which belongs together is a guess
    BAD_HEADER = 2  # its user data header cannot be read, and stands in the text
    UNREADABLE = 4  # some octets do not fit the encoding it names; U+FFFD stands there
    BINARY = 8  # data, told in hexadecimal
    REMAINDER = 16  # parts that came after the message they belong to was given up
    NATIONAL = 32  # its sender is a national number, and nobody can tell of which country


class Fate(IntEnum):
    """What became of one `deliver_sm`. Values are stored."""

    PART = 1  # it is, or is a part of, its message
    DUPLICATE = 2  # the carrier sent it again


class Ownership(IntEnum):
    """Why a message is somebody's. Values are stored."""

    NOBODY = 0
    NUMBER = 1  # the account owns the number it was sent to
    CHANNEL = 2  # the account gets whatever comes by that channel
    LAST_MESSAGE = 3  # nobody owns the number; the account wrote to that handset last
    ASSIGNED = 4  # an operator said so


class Wish(IntEnum):
    """What the whole text asks for. Values are stored."""

    NONE = 0
    OPT_OUT = 1
    OPT_IN = 2


class Forwarding(IntEnum):
    """How far a message is on its way to the customer; from QUEUED on its `outbox` row tells. Stored."""

    NONE = 0  # nobody to tell
    DUE = 1  # assigned by an operator, to be queued
    QUEUED = 2
    NO_URL = 3  # the owner has no callback URL


def words(value: IntFlag) -> list[str]:
    """Return the names of the flags in `value`, as operators read them."""
    return [(flag.name or "").lower() for flag in type(value) if flag in value]


@dataclass(frozen=True, slots=True)
class MoMessage:
    """A handset's message as it is kept; the fields are the columns of its row, in their order."""

    id: int
    channel: str
    source: str | None
    destination: str
    text: str | None
    data_hex: str | None
    data_coding: int
    total: int
    missing: str
    completion: Completion
    flags: Flag
    remainder_of: int | None
    received_at: int
    completed_at: int
    account_id: str | None
    project_id: str | None
    ownership: Ownership
    extend_code: str
    message_id: int | None
    wish: Wish
    phone_given: str | None
    user_id: str | None
    forwarding: Forwarding


def reply_item(message: MoMessage) -> dict[str, Any]:
    """Return one entry of a reply callback's `Data`. Only what is incomplete has `MissingParts`."""
    item: dict[str, Any] = {
        "Phone": message.phone_given or message.source or "",
        "ReplyContent": message.text if message.text is not None else message.data_hex or "",
        "ReplyTime": message.received_at // 1000,
    }
    if message.extend_code:
        item["ExtendCode"] = message.extend_code
    if message.user_id:
        item["UserId"] = message.user_id
    if message.missing:
        item["MissingParts"] = [int(number) for number in message.missing.split(",")]
    return item


def order_key(phone: str) -> int:
    """Return what stands for a handset in `outbox.message_id`: negative, so it is no message's id."""
    return -1 - (int.from_bytes(blake2b(phone.encode(), digest_size=8).digest()) >> 2)
