"""Bodies to values and back, as the annotations of `carriers.smpp.pdu` say."""

import dataclasses
import struct
from collections.abc import Callable
from typing import Any, Generic, TypeVar, get_type_hints

from carriers.errors import FieldError
from carriers.smpp import pdu
from carriers.smpp.pdu import Pdu, Request, Response, Tlvs
from carriers.smpp.vocabulary import CommandStatus
from carriers.smpp.wire import (
    BodyFault,
    CString,
    Destinations,
    Nested,
    Octet,
    ShortMessage,
    Stretch,
    Unsuccessful,
)

Kind = CString | Octet | ShortMessage | Destinations | Unsuccessful

_TLV_HEADER = struct.Struct(">HH")
_HEADER_FIELDS = {field.name for field in dataclasses.fields(Response)}

P = TypeVar("P", bound=Pdu)


class Layout(Generic[P]):
    """The body of one PDU class: its kinds of field in wire order, and the same as reading steps."""

    __slots__ = ("_runs", "kinds", "limits", "lone_size", "make", "pdu_class")

    def __init__(self, pdu_class: type[P]) -> None:
        self.pdu_class = pdu_class
        self.make: Callable[..., P] = pdu_class
        self.kinds = _kinds_of(pdu_class)
        self._runs = _runs_of(self.kinds)
        self.lone_size = _lone_size(self.kinds)
        self.limits = [
            (name, kind.maximum, kind.fault)
            for name, kind in self.kinds.items()
            if isinstance(kind, Octet) and kind.maximum < 255
        ]

    def write(self, values: P, first: str | None = None, until: str | None = None) -> bytes:
        """Return the mandatory fields from `first` up to, not including, `until`; raises `FieldError`."""
        names = list(self.kinds)
        chosen = names[names.index(first) if first else 0 : names.index(until) if until else None]
        return b"".join([self.kinds[name].write(name, getattr(values, name)) for name in chosen])

    def read(self, body: bytes) -> tuple[list[Any], int]:
        """Return the mandatory fields' values in wire order and where they end; raises `BodyFault`."""
        values: list[Any] = []
        at = 0
        for stretch, nested in self._runs:
            found, at = stretch.read(body, at)
            values = values + found if values else found
            if nested is not None:
                value, at = nested.read(body, at)
                values.append(value)
        return values, at

    def check(self, values: P) -> None:
        """Hold `values`, just read, against the limits of single fields; raises `BodyFault`."""
        for name, maximum, fault in self.limits:
            if getattr(values, name) > maximum:
                raise BodyFault(fault, f"{name} is above {maximum}")


def _kinds_of(pdu_class: type[Pdu]) -> dict[str, Kind]:
    """Return each body field's kind, read from its annotation."""
    hints = get_type_hints(pdu_class, include_extras=True)
    names = [field.name for field in dataclasses.fields(pdu_class) if field.name not in _HEADER_FIELDS]
    return {name: hints[name].__metadata__[0] for name in names}


def _lone_size(kinds: dict[str, Kind]) -> int:
    """Return the size of the C-octet string that is the whole body, 0 if the body is more, or less."""
    only = next(iter(kinds.values())) if len(kinds) == 1 else None
    return only.size if isinstance(only, CString) else 0


def _runs_of(kinds: dict[str, Kind]) -> list[tuple[Stretch, Nested | None]]:
    """Return the kinds as rounds of the reading loop: a stretch of plain fields, a nested one behind it."""
    runs: list[tuple[Stretch, Nested | None]] = []
    plain: dict[str, CString | Octet] = {}
    for name, kind in kinds.items():
        if isinstance(kind, CString | Octet):
            plain[name] = kind
        else:
            runs.append((Stretch(plain), kind))
            plain = {}
    if plain:
        runs.append((Stretch(plain), None))
    return runs


def read_tlvs(body: bytes, at: int) -> Tlvs:
    """Return the TLVs of `body` from `at` to its end, raw; raises `BodyFault` if one is cut off."""
    end = len(body)
    found: list[tuple[int, bytes]] = []
    while at < end:
        if at + 4 > end:
            raise BodyFault(CommandStatus.RINVOPTPARSTREAM, "a TLV header is cut off")
        tag, length = _TLV_HEADER.unpack_from(body, at)
        at += 4 + length
        if at > end:
            raise BodyFault(CommandStatus.RINVPARLEN, f"TLV 0x{tag:04x} runs over the end")
        found.append((tag, body[at - length : at]))
    return tuple(found)


def write_tlvs(tlvs: Tlvs) -> bytes:
    """Return `tlvs` for the wire; raises `FieldError`."""
    for tag, value in tlvs:
        if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
            raise FieldError("tlvs", f"tag 0x{tag:x} with {len(value)} octets does not fit")
    return b"".join([_TLV_HEADER.pack(tag, len(value)) + value for tag, value in tlvs])


def _layouts(base: type[P]) -> dict[int, Layout[P]]:
    classes = [each for each in vars(pdu).values() if isinstance(each, type) and issubclass(each, base)]
    return {int(each.command_id): Layout(each) for each in classes if hasattr(each, "command_id")}


REQUESTS: dict[int, Layout[Request]] = _layouts(Request)
RESPONSES: dict[int, Layout[Response]] = _layouts(Response)
LAYOUTS: dict[type[Pdu], Layout[Any]] = {
    **{layout.pdu_class: layout for layout in REQUESTS.values()},
    **{layout.pdu_class: layout for layout in RESPONSES.values()},
}
