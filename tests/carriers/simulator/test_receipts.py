"""The fast encoder writes what the codec would."""

from hypothesis import given
from hypothesis import strategies as st

from carriers.receipt import read_arrival
from carriers.results import Receipt, ReceiptState
from carriers.simulator.behaviour import OUTCOMES
from carriers.simulator.receipts import ReceiptEncoder
from carriers.simulator.record import Pending
from carriers.smpp.codec import Decoder, encode
from carriers.smpp.pdu import DeliverSm
from config.schema import ChannelConfig

CHANNEL = ChannelConfig(id="c", host="h", port=1, system_id="s")
SUBMITTED, DONE = 1_700_000_000.0, 1_700_003_600.0

addresses = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)


def decoded(wire: bytes) -> DeliverSm:
    decoder = Decoder()
    decoder.receive(wire)
    pdu = decoder.next_pdu()
    assert isinstance(pdu, DeliverSm)
    assert decoder.next_pdu() is None
    return pdu


@given(
    source=addresses,
    destination=addresses,
    outcome=st.sampled_from(list(OUTCOMES.values())),
    sequence=st.integers(1, 0x7FFFFFFF),
    tlvs=st.booleans(),
)
def test_it_equals_the_whole_pdu(
    source: str, destination: str, outcome: object, sequence: int, tlvs: bool
) -> None:
    pending = Pending("0e999f21", "acme", source, destination, outcome, SUBMITTED)  # type: ignore[arg-type]
    wire = ReceiptEncoder(tlvs=tlvs).encode(sequence, pending, "0e999f21", DONE)
    pdu = decoded(wire)
    assert encode(pdu) == wire
    assert (pdu.sequence, pdu.source_addr, pdu.destination_addr) == (sequence, destination, source)
    assert len(pdu.tlvs) == (2 if tlvs else 0)


def test_text_and_tlvs_tell_the_same_story() -> None:
    for name, outcome in OUTCOMES.items():
        pending = Pending("77", "acme", "Acme", "60123456789", outcome, SUBMITTED)
        for tlvs in (True, False):
            receipt = read_arrival(decoded(ReceiptEncoder(tlvs=tlvs).encode(1, pending, "77", DONE)), CHANNEL)
            assert isinstance(receipt, Receipt)
            assert receipt.message_id == "77"
            assert receipt.state is ReceiptState(name)
            assert receipt.source == "60123456789"
            assert not receipt.disagrees
