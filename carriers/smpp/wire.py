"""The kinds of field an SMPP body is made of: how each is checked, written and read.

`carriers.smpp.pdu` names a kind for every field; `carriers.smpp.layout` puts them together.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from carriers.errors import FieldError
from carriers.smpp.vocabulary import CommandStatus

MAX_SHORT_MESSAGE = 254  # §5.2.22; 5.0 allows 255, which is read and never written
_SME, _LIST = 1, 2  # §5.2.25 dest_flag
_STATUS = struct.Struct(">I")


class BodyFault(Exception):
    """The peer's body breaks the rules of its fields; `status` is what to answer."""

    def __init__(self, status: CommandStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CString:
    """A C-octet string of at most `size` octets, its NUL included."""

    size: int
    fault: CommandStatus = CommandStatus.RINVPARLEN

    def write(self, name: str, value: str) -> bytes:
        """Return `value` and its NUL; raises `FieldError`."""
        try:
            data = value.encode("latin-1")
        except UnicodeEncodeError:
            raise FieldError(name, "a character is outside latin-1") from None
        if len(data) >= self.size:
            raise FieldError(name, f"{len(data)} octets; at most {self.size - 1} fit")
        if b"\0" in data:
            raise FieldError(name, "holds a NUL")
        return data + b"\0"


@dataclass(frozen=True, slots=True)
class Octet:
    """A one-octet integer."""

    maximum: int = 255
    fault: CommandStatus = CommandStatus.RINVPARLEN

    def write(self, name: str, value: int) -> bytes:
        """Return the octet; raises `FieldError`."""
        if not 0 <= value <= self.maximum:
            raise FieldError(name, f"{value} is not within 0…{self.maximum}")
        return bytes((value,))


class Nested(Protocol):
    """A field that knows its own length."""

    def write(self, name: str, value: Any) -> bytes:
        """Return `value` for the wire; raises `FieldError`."""

    def read(self, body: bytes, at: int) -> tuple[Any, int]:
        """Return the value at `at` and where it ends; raises `BodyFault`."""


class Stretch:
    """C-octet strings and integers that follow each other, read by one regular expression.

    The expression is made from their sizes. It says no more than that something does not fit, so a
    stretch that does not match is walked field by field to name the fault.
    """

    __slots__ = ("_fields", "_match", "_octets")

    def __init__(self, fields: Mapping[str, CString | Octet]) -> None:
        self._fields = fields
        kinds = list(fields.values())
        self._octets = [at for at, kind in enumerate(kinds) if isinstance(kind, Octet)]
        self._match = re.compile("".join(map(_pattern, kinds)), re.DOTALL).match

    def read(self, body: bytes, at: int) -> tuple[list[Any], int]:
        """Return the values from `at` on, and where they end; raises `BodyFault`."""
        text = body.decode("latin-1")
        match = self._match(text, at)
        if match is None:
            raise self._fault(text, at)
        values: list[Any] = list(match.groups())
        for each in self._octets:
            values[each] = ord(values[each])
        return values, match.end()

    def _fault(self, text: str, at: int) -> BodyFault:
        """Return why the text at `at` does not match: a string too long, or everything too short."""
        for name, kind in self._fields.items():
            if isinstance(kind, Octet):
                at += 1
                continue
            end = text.find("\0", at, at + kind.size)
            if end < 0 and at + kind.size <= len(text):
                return BodyFault(kind.fault, f"{name} has no NUL within {kind.size} octets")
            if end < 0:
                break
            at = end + 1
        return _short_body()


def _pattern(kind: CString | Octet) -> str:
    return "(.)" if isinstance(kind, Octet) else rf"([^\0]{{0,{kind.size - 1}}}+)\0"


def _short_body() -> BodyFault:
    """Return the fault of a body that ends before its mandatory fields do."""
    return BodyFault(CommandStatus.RINVCMDLEN, "the body ends before its mandatory fields")


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """sm_length and short_message, which always go together."""

    def write(self, name: str, value: bytes) -> bytes:
        """Return length and octets; raises `FieldError`."""
        if len(value) > MAX_SHORT_MESSAGE:
            raise FieldError(name, f"{len(value)} octets; at most {MAX_SHORT_MESSAGE} fit")
        return bytes((len(value),)) + value

    def read(self, body: bytes, at: int) -> tuple[bytes, int]:
        """Return the octets and where they end; raises `BodyFault`."""
        if at >= len(body):
            raise _short_body()
        end = at + 1 + body[at]
        if end > len(body):
            raise BodyFault(CommandStatus.RINVMSGLEN, f"sm_length {body[at]} runs over the end")
        return body[at + 1 : end], end


@dataclass(slots=True)
class SmeAddress:
    """One address of a submit_multi."""

    ton: int
    npi: int
    address: str


@dataclass(slots=True)
class DistributionList:
    """A list of addresses kept by the SMSC, by name."""

    name: str


Destination = SmeAddress | DistributionList


@dataclass(slots=True)
class FailedAddress:
    """One address a submit_multi did not reach."""

    ton: int
    npi: int
    address: str
    status: int


_ADDRESS = CString(21, CommandStatus.RINVDSTADR)
_LIST_NAME = CString(21, CommandStatus.RINVDLNAME)
_SME_FIELDS = Stretch({"dest_addr_ton": Octet(), "dest_addr_npi": Octet(), "destination_addr": _ADDRESS})
_LIST_FIELDS = Stretch({"dl_name": _LIST_NAME})


def _write_address(name: str, ton: int, npi: int, address: str) -> bytes:
    octet = Octet()
    return octet.write(name, ton) + octet.write(name, npi) + _ADDRESS.write(name, address)


@dataclass(frozen=True, slots=True)
class Destinations:
    """number_of_dests and dest_address(es), §4.5.1.1."""

    def write(self, name: str, value: Sequence[Destination]) -> bytes:
        """Return count and addresses; raises `FieldError`."""
        if not 1 <= len(value) <= 254:
            raise FieldError(name, f"{len(value)} destinations; 1…254 are possible")
        return bytes((len(value),)) + b"".join([self._one(name, each) for each in value])

    @staticmethod
    def _one(name: str, each: Destination) -> bytes:
        if isinstance(each, DistributionList):
            return bytes((_LIST,)) + _LIST_NAME.write(name, each.name)
        return bytes((_SME,)) + _write_address(name, each.ton, each.npi, each.address)

    def read(self, body: bytes, at: int) -> tuple[tuple[Destination, ...], int]:
        """Return the addresses and where they end; raises `BodyFault`."""
        if at >= len(body):
            raise _short_body()
        found: list[Destination] = []
        count, at = body[at], at + 1
        for _ in range(count):
            flag = body[at] if at < len(body) else 0
            if flag == _SME:
                values, at = _SME_FIELDS.read(body, at + 1)
                found.append(SmeAddress(*values))
            elif flag == _LIST:
                values, at = _LIST_FIELDS.read(body, at + 1)
                found.append(DistributionList(*values))
            else:
                raise BodyFault(CommandStatus.RINVDESTFLAG, f"dest_flag {flag}")
        return tuple(found), at


@dataclass(frozen=True, slots=True)
class Unsuccessful:
    """no_unsuccess and unsuccess_sme(s), §4.5.2.1."""

    def write(self, name: str, value: Sequence[FailedAddress]) -> bytes:
        """Return count and addresses; raises `FieldError`."""
        if len(value) > 255:
            raise FieldError(name, f"{len(value)} addresses; at most 255 fit")
        return bytes((len(value),)) + b"".join(
            [
                _write_address(name, each.ton, each.npi, each.address) + _STATUS.pack(each.status)
                for each in value
            ]
        )

    def read(self, body: bytes, at: int) -> tuple[tuple[FailedAddress, ...], int]:
        """Return the addresses and where they end; raises `BodyFault`."""
        if at >= len(body):
            raise _short_body()
        found: list[FailedAddress] = []
        count, at = body[at], at + 1
        for _ in range(count):
            values, at = _SME_FIELDS.read(body, at)
            if at + 4 > len(body):
                raise _short_body()
            found.append(FailedAddress(*values, *_STATUS.unpack_from(body, at)))
            at += 4
        return tuple(found), at
