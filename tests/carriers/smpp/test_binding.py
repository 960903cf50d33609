"""What a bind and its answer settle about versions."""

import pytest

from carriers.smpp.binding import bind_response, may_submit, takes_tlvs
from carriers.smpp.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
)
from carriers.smpp.vocabulary import CommandStatus, Tag

VERSION = int(Tag.SC_INTERFACE_VERSION)


@pytest.mark.parametrize(
    ("bind", "answer"),
    [
        (BindTransmitter, BindTransmitterResp),
        (BindReceiver, BindReceiverResp),
        (BindTransceiver, BindTransceiverResp),
    ],
)
def test_a_bind_is_answered_by_its_own_response(bind: type, answer: type) -> None:
    response = bind_response(bind(sequence=9), "smsc")
    assert type(response) is answer
    assert (response.sequence, response.system_id, response.status) == (9, "smsc", 0)


@pytest.mark.parametrize(("version", "tlvs"), [(0x33, ()), (0x00, ()), (0x34, ((VERSION, b"\x34"),))])
def test_t26_only_a_peer_of_3_4_gets_the_version_tlv(version: int, tlvs: tuple[object, ...]) -> None:
    assert bind_response(BindTransceiver(interface_version=version), "smsc").tlvs == tlvs


def test_t26_a_refusal_carries_no_tlv() -> None:
    assert bind_response(BindTransceiver(), "smsc", CommandStatus.RINVPASWD).tlvs == ()


@pytest.mark.parametrize(
    ("tlvs", "takes"),
    [
        ((), True),  # many 3.4 carriers do not say so
        (((VERSION, b"\x34"),), True),
        (((VERSION, b"\x50"),), True),
        (((VERSION, b"\x33"),), False),
        (((VERSION, b"\x00\x33"),), True),  # unreadable is as good as absent
    ],
)
def test_t26_the_carriers_own_word_about_its_version_counts(tlvs: object, takes: bool) -> None:
    assert takes_tlvs(BindTransceiverResp(tlvs=tlvs)) is takes  # type: ignore[arg-type]


def test_a_receiver_may_not_submit() -> None:
    assert [may_submit(bind()) for bind in (BindReceiver, BindTransmitter, BindTransceiver)] == [
        False,
        True,
        True,
    ]
