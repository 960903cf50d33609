"""What can go wrong towards a carrier. A peer's faults are values; exceptions are for our own callers."""


class CarrierError(Exception):
    """Root of everything `carriers` raises on purpose."""


class FieldError(CarrierError, ValueError):
    """A PDU of ours cannot be put on the wire: `field` does not hold what its place allows."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class FramingLost(CarrierError):
    """The peer announced an impossible length: nothing after it can be trusted, the connection must close.

    `nack` says whether a generic_nack is due (never to a response) and `sequence` which number it carries.
    """

    def __init__(self, length: int, sequence: int, *, nack: bool) -> None:
        super().__init__(f"command_length {length} is impossible")
        self.length = length
        self.sequence = sequence
        self.nack = nack


class NotBound(CarrierError):
    """The session is not, or no longer, bound for this request; nothing was sent."""


class WindowFull(CarrierError):
    """As many requests are unanswered as the window allows; nothing was sent."""
