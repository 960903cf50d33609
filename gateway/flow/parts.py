"""Texts as segments, encoded once for all their recipients, and the references that join their parts."""

import zlib
from collections import OrderedDict
from collections.abc import Mapping

from carriers.results import Answer, ReceiptState, Segment
from carriers.smpp.text import Part, References, encode_text
from carriers.smpp.vendor import VaryingTlvs
from config.schema import ChannelConfig
from gateway.domain.message import Message

_TEXTS = 4_096  # texts of one-recipient requests hardly ever repeat; campaigns repeat one


class Flight:
    """A long message whose parts are on their way together."""

    __slots__ = ("message", "receipts", "sent_before", "total", "waiting", "worst")

    def __init__(self, message: Message, total: int, waiting: int) -> None:
        self.message = message
        self.total = total  # parts of the text
        self.sent_before = waiting < total  # some parts went in an earlier flight
        self.waiting = waiting  # parts given to the channel and not yet reported on
        self.worst: Answer | None = None  # the gravest of what was reported, if not all were taken
        self.receipts: dict[int, ReceiptState] = {}


class PartOf:
    """One part of a long message on its way: the `ref` of its segment."""

    __slots__ = ("flight", "number", "weight")

    def __init__(self, flight: Flight, number: int, weight: int) -> None:
        self.flight = flight
        self.number = number
        self.weight = weight


def cut_of(channel: ChannelConfig) -> int:
    """Return a number, never 0, that is another when the channel cuts or joins long texts another way."""
    return 1 + zlib.crc32(f"{channel.concatenation}/{channel.default_alphabet}".encode())


class PartCache:
    """Encodes texts per channel, keeping the recent ones."""

    def __init__(self, channels: Mapping[str, ChannelConfig]) -> None:
        self._channels = channels
        self._parts: OrderedDict[tuple[str, str], tuple[Part, ...]] = OrderedDict()
        self._references = References()
        tlvs = {id_: VaryingTlvs(channel.tlv) for id_, channel in channels.items()}
        self._tlvs = {id_: varying for id_, varying in tlvs.items() if varying}

    def parts(self, text: str, channel_id: str) -> tuple[Part, ...]:
        """Return the parts of `text` on that channel; raises `Unencodable`."""
        key = (text, channel_id)
        found = self._parts.get(key)
        if found is None:
            config = self._channels[channel_id]
            found = encode_text(text, config.concatenation, config.default_alphabet)
            self._parts[key] = found
            if len(self._parts) > _TEXTS:
                self._parts.popitem(last=False)
        return found

    def count(self, text: str, channel_id: str) -> int:
        """Return how many segments `text` is there, for price, rate and window alike."""
        return sum(part.weight for part in self.parts(text, channel_id))

    def segments(self, message: Message, channel_id: str) -> list[Segment]:
        """Return what is still to be sent of `message`; raises `Unencodable`."""
        parts = self.parts(message.body(), channel_id)
        tlvs = self._own_tlvs(message, channel_id) if self._tlvs else b""
        if len(parts) == 1:
            return [Segment(message, message.phone, parts[0], tlvs=tlvs)]
        if message.concat_ref is None:
            concatenation = self._channels[channel_id].concatenation
            message.concat_ref = self._references.take(message.phone, concatenation)
        missing = [part for part in parts if part.number not in message.parts_done]
        flight = Flight(message, len(parts), len(missing))
        return [
            Segment(
                PartOf(flight, part.number, part.weight), message.phone, part, message.concat_ref, tlvs=tlvs
            )
            for part in missing
        ]

    def _own_tlvs(self, message: Message, channel_id: str) -> bytes:
        varying = self._tlvs.get(channel_id)
        if varying is None:
            return b""
        submission = message.submission
        return varying.octets(message.template_id or submission.template_id, submission.account_id)
