"""Responses that say no more than a status: most of what we answer."""

import struct
from collections.abc import Sequence

from carriers.smpp.codec import encode
from carriers.smpp.layout import RESPONSES
from carriers.smpp.pdu import Request

_SEQUENCE = struct.Struct(">I")


def short_answer(response_id: int, status: int, sequence: int) -> bytes:
    """Return a response whose fields are empty."""
    return encode(RESPONSES[response_id].pdu_class(status=status, sequence=sequence))


def answer(request: Request, status: int) -> bytes:
    """Return the response to `request` with empty fields; only for requests that have one."""
    assert request.response_id is not None
    return short_answer(request.response_id, status, request.sequence)


def answers(requests: Sequence[Request], status: int) -> list[bytes]:
    """Return the response to each of `requests`; they differ in the sequence number only."""
    templates: dict[type[Request], bytes] = {}
    found = []
    for request in requests:
        kind = type(request)
        template = templates.get(kind) or templates.setdefault(kind, answer(request, status))
        found.append(template[:12] + _SEQUENCE.pack(request.sequence) + template[16:])
    return found
