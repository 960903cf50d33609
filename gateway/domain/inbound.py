"""A handset's message: how it came together, whose it is, what it wishes; closed lists for all of that."""

from enum import IntEnum, IntFlag


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
