"""SMPP on the wire: bytes to PDUs and back. The fields are declared in `carriers.smpp.pdu`."""

import struct

from carriers.errors import FieldError, FramingLost
from carriers.smpp.layout import LAYOUTS, REQUESTS, RESPONSES, read_tlvs, write_tlvs
from carriers.smpp.pdu import BadPdu, DeliverSm, Pdu, Request, Response, SubmitMulti, SubmitSm
from carriers.smpp.vocabulary import RESPONSE_BIT, CommandId, CommandStatus, Tag
from carriers.smpp.wire import BodyFault

HEADER_SIZE = 16
MAX_PDU_BYTES = 70_000  # a message_payload TLV may hold 65,535 octets beside the mandatory fields

_HEADER = struct.Struct(">IIII")
_LENGTH = struct.Struct(">I")
_TEXT_CARRIERS = (SubmitSm, SubmitMulti, DeliverSm)


class Decoder:
    """Cuts a byte stream, fed in any fragments, into PDUs."""

    __slots__ = ("_at", "_data", "_max_pdu", "_need", "_partial")

    def __init__(self, max_pdu: int = MAX_PDU_BYTES) -> None:
        self._max_pdu = max_pdu
        self._data = b""
        self._at = 0
        self._partial = bytearray()  # a PDU begun, not finished
        self._need = 0  # octets of `_partial` that are worth another look

    @property
    def partial(self) -> bool:
        """Whether a PDU has begun and not ended; True only once `next_pdu` returned None."""
        return bool(self._partial)

    def receive(self, data: bytes) -> None:
        """Buffer `data`; parse nothing yet."""
        if self._at < len(self._data):
            self._data = self._data[self._at :] + data
        elif self._partial:
            self._partial += data
            if len(self._partial) < self._need:
                return
            self._data = bytes(self._partial)
            self._partial.clear()
        else:
            self._data = data
        self._at = 0

    def next_pdu(self) -> Pdu | BadPdu | None:
        """Return the next whole PDU, or None if more bytes are needed.

        A `BadPdu` was framed but unreadable: nack it and carry on. Raises `FramingLost` on an
        impossible length: nothing after it can be trusted, so the caller must close.
        """
        data, at = self._data, self._at
        left = len(data) - at
        if left < HEADER_SIZE:
            self._wait_for_header(left)
            return None
        length, command_id, status, sequence = _HEADER.unpack_from(data, at)
        if not HEADER_SIZE <= length <= self._max_pdu:
            raise FramingLost(length, sequence, nack=not command_id & RESPONSE_BIT)
        if length > left:
            self._wait(length)
            return None
        self._at = at + length
        body = data[at + HEADER_SIZE : at + length]
        if command_id & RESPONSE_BIT:
            return _decode_response(command_id, body, status, sequence)
        return _decode_request(command_id, body, sequence)

    def _wait_for_header(self, left: int) -> None:
        """A length that can hold no header is refused before its header is complete: it never will be."""
        if left < 4:
            self._wait(4)
            return
        length = _LENGTH.unpack_from(self._data, self._at)[0]
        if length < HEADER_SIZE:
            raise FramingLost(length, 0, nack=left < 5 or not self._data[self._at + 4] & 0x80)
        self._wait(HEADER_SIZE)

    def _wait(self, need: int) -> None:
        """Put what is left aside until at least `need` octets of it are there."""
        if self._at < len(self._data):
            self._partial += self._data[self._at :]
            self._need = need
        self._data, self._at = b"", 0


def _decode_request(command_id: int, body: bytes, sequence: int) -> Request | BadPdu:
    """Read a request; its command_status should be 0 and means nothing."""
    layout = REQUESTS.get(command_id)
    if layout is None:
        return BadPdu(
            command_id, sequence, CommandStatus.RINVCMDID, "unknown command_id", CommandId.GENERIC_NACK
        )
    try:
        values, at = layout.read(body)
        tlvs = read_tlvs(body, at) if at < len(body) else ()
        pdu = layout.make(*values, tlvs=tlvs, sequence=sequence)
        if layout.limits:
            layout.check(pdu)
    except BodyFault as fault:
        return BadPdu(command_id, sequence, fault.status, fault.detail, layout.pdu_class.response_id)
    return pdu


def _decode_response(command_id: int, body: bytes, status: int, sequence: int) -> Response | BadPdu:
    """Read a response; without a body it is good too, whatever its status (§4.4.2, and practice)."""
    layout = RESPONSES.get(command_id)
    if layout is None:
        return BadPdu(command_id, sequence, CommandStatus.RINVCMDID, "unknown command_id of a response")
    size = len(body)
    if not size:
        return layout.pdu_class(status=status, sequence=sequence)
    if size <= layout.lone_size and body.find(0) == size - 1:  # nearly every answer there is
        return layout.make(body[:-1].decode("latin-1"), status=status, sequence=sequence)
    values: list[object] = []
    try:
        values, at = layout.read(body)
        tlvs = read_tlvs(body, at) if at < len(body) else ()
    except BodyFault as fault:
        known = layout.make(*values, status=status, sequence=sequence)
        return BadPdu(command_id, sequence, fault.status, fault.detail, pdu=known)
    return layout.make(*values, tlvs=tlvs, status=status, sequence=sequence)


def encode(pdu: Pdu) -> bytes:
    """Return `pdu` framed for the wire; raises `FieldError` naming the field."""
    status = pdu.status if isinstance(pdu, Response) else 0
    if not 0 <= pdu.sequence <= 0xFFFF_FFFF or not 0 <= status <= 0xFFFF_FFFF:
        raise FieldError("sequence" if 0 <= status <= 0xFFFF_FFFF else "status", "does not fit 32 bits")
    if isinstance(pdu, _TEXT_CARRIERS) and pdu.short_message:
        _check_one_text(pdu)
    body = b""
    if not (status and isinstance(pdu, Response) and pdu.bare_on_error):
        body = LAYOUTS[type(pdu)].write(pdu)
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs)
    return frame(pdu.command_id, status, pdu.sequence, body)


def frame(command_id: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """Return header and body as one PDU."""
    return _HEADER.pack(HEADER_SIZE + len(body), command_id, status, sequence) + body


def _check_one_text(pdu: SubmitSm | SubmitMulti | DeliverSm) -> None:
    """Refuse short_message beside message_payload (§5.3.2.32)."""
    if any(tag == Tag.MESSAGE_PAYLOAD for tag, _ in pdu.tlvs):
        raise FieldError("message_payload", "cannot go together with short_message")
