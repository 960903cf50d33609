"""Texts are encoded once and counted as they are sent."""

import pytest

from carriers.smpp.text import Unencodable
from config.schema import Concatenation, TlvConfig, TlvKind
from gateway.flow.parts import PartCache, PartOf
from tests.support.flow import LONG, channel_config
from tests.support.messages import message


def cache() -> PartCache:
    payload = channel_config("payload", concatenation=Concatenation.PAYLOAD)
    return PartCache({"alpha": channel_config("alpha"), "payload": payload})


def test_a_short_text_is_one_segment_that_names_its_message() -> None:
    short = message()
    (segment,) = cache().segments(short, "alpha")
    assert segment.ref is short
    assert segment.destination == short.phone


def test_the_parts_of_a_long_text_fly_together_under_one_reference() -> None:
    long = message(text=LONG, segments=2)
    segments = cache().segments(long, "alpha")
    refs = [segment.ref for segment in segments]
    assert all(isinstance(ref, PartOf) for ref in refs)
    flights = {id(ref.flight) for ref in refs if isinstance(ref, PartOf)}
    assert len(segments) == 2
    assert len(flights) == 1
    assert {segment.concat_ref for segment in segments} == {long.concat_ref}


def test_only_what_is_missing_goes_again_under_the_same_reference() -> None:
    parts, long = cache(), message(text=LONG, segments=2)
    first, _ = parts.segments(long, "alpha")
    long.parts_done = (1,)
    (again,) = parts.segments(long, "alpha")
    assert (again.part.number, again.concat_ref) == (2, first.concat_ref)


def test_two_long_messages_to_one_handset_have_references_of_their_own() -> None:
    parts = cache()
    one, two = (message(n, phone="60123", text=LONG) for n in (1, 2))
    assert parts.segments(one, "alpha")[0].concat_ref != parts.segments(two, "alpha")[0].concat_ref


def test_what_is_counted_is_what_is_sent_or_weighs_as_much() -> None:
    assert cache().count(LONG, "alpha") == len(cache().parts(LONG, "alpha")) == 2
    assert cache().count(LONG, "payload") == 2
    assert len(cache().parts(LONG, "payload")) == 1


def test_a_text_no_network_carries_is_refused() -> None:
    with pytest.raises(Unencodable):
        cache().parts("x" * 50_000, "alpha")


def test_t74_a_segment_carries_the_tlvs_of_its_template_on_the_channel_that_wants_them() -> None:
    tlv = TlvConfig(tag=0x1401, kind=TlvKind.TEXT, value="other", templates={"UTA7": "seven"})
    parts = PartCache({"plain": channel_config("plain"), "dlt": channel_config("dlt", tlv=(tlv,))})
    seven, other = message(template_id="UTA7"), message(2, text=LONG, segments=2)
    assert [segment.tlvs for segment in parts.segments(seven, "dlt")] == [b"\x14\x01\0\5seven"]
    assert [segment.tlvs for segment in parts.segments(other, "dlt")] == [b"\x14\x01\0\5other"] * 2
    assert [segment.tlvs for segment in parts.segments(seven, "plain")] == [b""]
