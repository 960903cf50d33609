"""Signed requests, prebuilt: per request only the unique digits are put in and the SHA-1 is computed.

Every request is signed exactly as a customer's client does it (all parameters, sorted by name, then the
private key); what never changes from one request to the next is simply not built again.
"""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

ACTION = "SendUSMSMessage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """What a client is configured with."""

    public_key: str
    private_key: str
    project_id: str
    template_id: str
    signature: str


def _parameters(customer: Customer, numbers: list[str]) -> dict[str, str]:
    return {
        "Action": ACTION,
        "ProjectId": customer.project_id,
        "PublicKey": customer.public_key,
        "SigContent": customer.signature,
        "TemplateId": customer.template_id,
        "TemplateParams.0": "246810",
        **{f"PhoneNumbers.{index}": number for index, number in enumerate(numbers)},
    }


class Requests:
    """Makes the n-th request of a run; all its telephone numbers occur nowhere else."""

    def __init__(self, customer: Customer, host: str, numbers: int) -> None:
        """Put `numbers` (a power of ten up to 1000) into each request."""
        self.numbers = numbers
        tail = len(str(numbers)) - 1  # digits that tell the numbers of one request apart
        self._digits = 8 - tail
        hole = "@" * self._digits
        phones = [f"(60)1{hole}{index:0{tail}d}" if tail else f"(60)1{hole}" for index in range(numbers)]
        parameters = _parameters(customer, phones)
        canonical = "".join(name + parameters[name] for name in sorted(parameters)) + customer.private_key
        body = urlencode(parameters, safe="@") + "&Signature="
        head = (
            f"POST / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\nAccept: */*\r\n"
            f"Connection: keep-alive\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body) + 40}\r\n\r\n"
        )
        self._hole = hole.encode()
        self._canonical = canonical.encode()
        self._request = (head + body).encode()

    def make(self, serial: int) -> bytes:
        """Return request number `serial`, signed, ready for the wire."""
        digits = b"%0*d" % (self._digits, serial)
        signature = hashlib.sha1(self._canonical.replace(self._hole, digits)).hexdigest()
        return self._request.replace(self._hole, digits) + signature.encode()

    def phone(self, serial: int) -> str:
        """Return the E.164 digits of the first number of request `serial`."""
        return f"601{serial:0{self._digits}d}" + "0" * (8 - self._digits)
