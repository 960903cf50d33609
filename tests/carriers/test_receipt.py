"""What a deliver_sm says, in all the ways carriers say it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.receipt import aggregate, read_arrival
from carriers.results import Inbound, Receipt, ReceiptState
from carriers.smpp.pdu import DataSm, DeliverSm
from carriers.smpp.vocabulary import Tag
from config.schema import ChannelConfig

CHANNEL = ChannelConfig(id="acme", host="smsc.example", port=2775, system_id="us")
TEXT = (
    "id:0e999f21 sub:001 dlvrd:001 submit date:2611231200 done date:2611231205"
    " stat:DELIVRD err:000 text:Hello"
)


def deliver(text: str | bytes, esm_class: int = 0x04, tlvs: tuple[tuple[int, bytes], ...] = ()) -> DeliverSm:
    payload = text.encode("latin-1") if isinstance(text, str) else text
    return DeliverSm(
        source_addr="60123456789",
        destination_addr="ACME",
        esm_class=esm_class,
        short_message=payload,
        tlvs=tlvs,
    )


def read(text: str | bytes, esm_class: int = 0x04, tlvs: tuple[tuple[int, bytes], ...] = ()) -> Receipt:
    receipt = read_arrival(deliver(text, esm_class, tlvs), CHANNEL)
    assert isinstance(receipt, Receipt)
    return receipt


def utc(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]


def tlvs(message_id: str, state: int) -> tuple[tuple[int, bytes], ...]:
    return (
        (int(Tag.RECEIPTED_MESSAGE_ID), message_id.encode() + b"\0"),
        (int(Tag.MESSAGE_STATE), bytes([state])),
    )


def test_a_receipt_as_appendix_b_has_it() -> None:
    assert read(TEXT) == Receipt(
        message_id="0e999f21",
        state=ReceiptState.DELIVERED,
        stat="DELIVRD",
        error="000",
        source="60123456789",
        done_at=utc(2026, 11, 23, 12, 5),
    )


@pytest.mark.parametrize("esm_class", [0x04, 0x07, 0x84, 0x08, 0x0C])
def test_t67_the_type_bits_decide_whatever_the_others_say(esm_class: int) -> None:
    assert read(TEXT, esm_class).state is ReceiptState.DELIVERED


def test_t67_a_receipt_with_a_user_data_header_is_still_a_receipt() -> None:
    header = b"\x05\x00\x03\xaa\x01\x01"
    assert read(header + TEXT.encode(), 0x44) == read(TEXT)


@pytest.mark.parametrize("esm_class", [0x10, 0x18])
def test_t67_what_a_person_answers_is_the_handsets(esm_class: int) -> None:
    assert isinstance(read_arrival(deliver(TEXT, esm_class), CHANNEL), Inbound)


def test_t67_an_intermediate_notification_is_never_final() -> None:
    assert read(TEXT, 0x20).state is ReceiptState.ENROUTE
    assert read(TEXT.replace("DELIVRD", "ACCEPTD"), 0x20).state is ReceiptState.ACCEPTED


@pytest.mark.parametrize("esm_class", [0x04, 0x08, 0x20])
def test_t68_a_receipt_that_says_nothing_readable_is_still_no_handset_message(esm_class: int) -> None:
    receipt = read("Message was handled", esm_class)
    assert receipt.message_id == ""
    assert receipt.unseen


def test_t68_a_text_that_only_looks_like_a_receipt_is_the_handsets() -> None:
    arrival = read_arrival(deliver(TEXT, 0x00), CHANNEL)
    assert arrival == Inbound("60123456789", "ACME", 0, 0x00, TEXT.encode())


def test_a_handsets_message_keeps_its_senders_type_of_number() -> None:
    pdu = replace(deliver("hello", 0x00), source_addr="0123456789", source_addr_ton=2)
    arrival = read_arrival(pdu, replace(CHANNEL, country="MY"))
    assert isinstance(arrival, Inbound)
    assert (arrival.source, arrival.source_ton) == ("0123456789", 2), "as it came"


@pytest.mark.parametrize(
    ("source", "ton", "country", "expected"),
    [
        ("0123456789", 2, "MY", "60123456789"),
        ("0123456789", 0, "60", "60123456789"),
        ("+60123456789", 2, "SG", "60123456789"),
        ("60123456789", 1, "SG", "60123456789"),
        ("0123456789", 2, "", "0123456789"),
    ],
)
def test_a_receipt_names_its_handset_in_full_where_the_channels_country_tells(
    source: str, ton: int, country: str, expected: str
) -> None:
    pdu = replace(deliver(TEXT), source_addr=source, source_addr_ton=ton)
    receipt = read_arrival(pdu, replace(CHANNEL, country=country))
    assert isinstance(receipt, Receipt)
    assert receipt.source == expected


def test_t68_unless_the_channel_sends_receipts_without_saying_so() -> None:
    careless = replace(CHANNEL, receipts_without_esm_class=True)
    assert read_arrival(deliver(TEXT, 0x00), careless) == read(TEXT)
    assert isinstance(read_arrival(deliver("id: please call me", 0x00), careless), Inbound)
    assert isinstance(read_arrival(deliver(TEXT, 0x10), careless), Inbound)


def test_t72_a_handset_message_keeps_its_octets_and_its_tlvs() -> None:
    pdu = deliver(b"\x00\xff", 0x43, ((0x1401, b"x"), (0x1401, b"y")))
    arrival = read_arrival(pdu, CHANNEL)
    assert arrival == Inbound("60123456789", "ACME", 0, 0x43, b"\x00\xff", ((0x1401, b"x"), (0x1401, b"y")))


def test_t72_unknown_and_repeated_tlvs_in_any_order_change_nothing() -> None:
    known = (*tlvs("abc", 2), (0x1400, b""), (0x1400, b"\1"))
    assert {repr(read("", 0x04, order)) for order in permutations(known)} == {repr(read("", 0x04, known))}


@pytest.mark.parametrize(
    "broken",
    [
        (int(Tag.MESSAGE_STATE), b""),
        (int(Tag.MESSAGE_STATE), b"\0\2"),
        (int(Tag.MESSAGE_STATE), b"\x63"),
        (int(Tag.RECEIPTED_MESSAGE_ID), b""),
        (int(Tag.NETWORK_ERROR_CODE), b"\1"),
    ],
)
def test_t73_a_known_tlv_with_a_wrong_length_is_ignored_and_the_rest_is_read(
    broken: tuple[int, bytes],
) -> None:
    assert read(TEXT, 0x04, (broken,)) == read(TEXT)


def test_t88_tlvs_win_over_the_text_and_the_disagreement_is_noted() -> None:
    receipt = read(TEXT, 0x04, tlvs("77", 5))
    assert (receipt.message_id, receipt.state, receipt.stat) == ("77", ReceiptState.UNDELIVERED, "UNDELIV")
    assert receipt.disagrees


@pytest.mark.parametrize("message_id", ["0e999f21", "E999F21", "244948769"])
def test_t88_the_same_id_in_another_spelling_is_no_disagreement(message_id: str) -> None:
    receipt = read(TEXT, 0x04, tlvs(message_id, 2))
    assert receipt.message_id == message_id
    assert not receipt.disagrees


def test_t88_text_is_used_for_what_the_tlvs_leave_out() -> None:
    id_only, state_only = tlvs("e999f21", 2)[:1], tlvs("e999f21", 8)[1:]
    assert read(TEXT, 0x04, id_only).state is ReceiptState.DELIVERED
    assert read(TEXT, 0x04, state_only).message_id == "0e999f21"
    assert read("", 0x04, tlvs("abc", 2)).state is ReceiptState.DELIVERED


@pytest.mark.parametrize(
    ("number", "word", "state"),
    [
        (0, "SCHEDULED", ReceiptState.SCHEDULED),
        (1, "ENROUTE", ReceiptState.ENROUTE),
        (2, "DELIVRD", ReceiptState.DELIVERED),
        (3, "EXPIRED", ReceiptState.EXPIRED),
        (4, "DELETED", ReceiptState.DELETED),
        (5, "UNDELIV", ReceiptState.UNDELIVERED),
        (6, "ACCEPTD", ReceiptState.ACCEPTED),
        (7, "UNKNOWN", ReceiptState.UNKNOWN),
        (8, "REJECTD", ReceiptState.REJECTED),
        (9, "SKIPPED", ReceiptState.UNDELIVERED),
    ],
)
def test_t90_every_state_is_read_from_its_word_and_from_its_number(
    number: int, word: str, state: ReceiptState
) -> None:
    by_word = read(TEXT.replace("DELIVRD", word))
    by_number = read("", 0x04, tlvs("0e999f21", number))
    assert (by_word.state, by_word.stat) == (by_number.state, by_number.stat) == (state, word)
    assert not by_word.unseen


def test_t90_a_channels_own_words_are_understood_and_win() -> None:
    channel = replace(CHANNEL, receipt_aliases={"Failed": "undelivered", "DELETED": "Expired"})
    for word, state in [("FAILED", ReceiptState.UNDELIVERED), ("deleted", ReceiptState.EXPIRED)]:
        receipt = read_arrival(deliver(TEXT.replace("DELIVRD", word)), channel)
        assert isinstance(receipt, Receipt)
        assert (receipt.state, receipt.stat, receipt.unseen) == (state, word.upper(), False)


def test_t90_a_word_nobody_knows_is_unknown_and_noted() -> None:
    receipt = read(TEXT.replace("DELIVRD", "BLOCKED"))
    assert (receipt.state, receipt.stat, receipt.unseen) == (ReceiptState.UNKNOWN, "BLOCKED", True)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.upper(),
        lambda text: text.lower(),
        lambda text: text.replace("sub:001 dlvrd:001 ", ""),
        lambda text: text.replace(" text:Hello", ""),
        lambda text: text.replace("text:", "Text:"),
        lambda text: text + "\0",
        lambda text: text.replace("999f21", "999\0f21").replace("err:", "err:\0"),
        lambda text: text.replace(" stat:", " vendor:7 mccmnc:50212 stat:"),
        lambda text: text.replace("id:", "ID: ").replace("stat:", "Stat: "),
        lambda text: text.replace("Hello", "id:999 stat:UNDELIV err:111"),
        lambda text: text.replace("submit date", "submit_date").replace("done date", "done_date"),
        lambda text: text.replace(" ", "\n").replace("\ndate", " date"),
    ],
)  # fmt: skip
def test_t89_the_text_is_read_however_it_is_written(change: Callable[[str], str]) -> None:
    receipt = read(change(TEXT))
    assert (receipt.message_id.lower(), receipt.state, receipt.error) == (
        "0e999f21", ReceiptState.DELIVERED, "000",
    )  # fmt: skip
    assert receipt.done_at == utc(2026, 11, 23, 12, 5)


@pytest.mark.parametrize(
    ("done", "moment"),
    [
        ("2611231205", utc(2026, 11, 23, 12, 5)),
        ("261123120559", utc(2026, 11, 23, 12, 5, 59)),
        ("202611231205", utc(2026, 11, 23, 12, 5)),
        ("20261123120559", utc(2026, 11, 23, 12, 5, 59)),
        ("2613231205", None),
        ("26112312", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_t89_dates_with_seconds_and_with_four_digit_years(done: str, moment: float | None) -> None:
    receipt = read(TEXT.replace("done date:2611231205", f"done date:{done}"))
    assert receipt.done_at == moment
    assert receipt.state is ReceiptState.DELIVERED


@pytest.mark.parametrize("error", ["000", "1A2", "EC_27", "0x45", "-12"])
def test_t89_the_error_may_be_any_word(error: str) -> None:
    assert read(TEXT.replace("err:000", f"err:{error}")).error == error


def test_t89_an_empty_error_does_not_swallow_the_next_field() -> None:
    receipt = read(TEXT.replace("err:000", "err:"))
    assert (receipt.error, receipt.state) == ("", ReceiptState.DELIVERED)


def test_t89_without_an_error_in_the_text_the_networks_code_is_told() -> None:
    network_error = ((int(Tag.NETWORK_ERROR_CODE), b"\x03\x00\x45"),)
    assert read("id:1 stat:UNDELIV", 0x04, network_error).error == "69"
    assert read(TEXT, 0x04, network_error).error == "000"


def test_t89_a_text_spread_over_utf16_is_read() -> None:
    assert read(TEXT.encode("utf-16-be")) == read(TEXT)


def test_a_receipt_may_come_in_a_message_payload_or_a_data_sm() -> None:
    payload = ((int(Tag.MESSAGE_PAYLOAD), TEXT.encode()),)
    assert read("", 0x04, payload) == read(TEXT)
    pdu = DataSm(source_addr="+60123456789", destination_addr="ACME", esm_class=0x04, tlvs=payload)
    assert read_arrival(pdu, CHANNEL) == read(TEXT)


@given(
    st.integers(0, 255),
    st.binary(max_size=200) | st.text("id:stae xr0123DELIV\0 ", max_size=160).map(str.encode),
    st.lists(
        st.tuples(st.sampled_from([0x1E, 0x427, 0x423, 0x424, 0x1400]), st.binary(max_size=6)), max_size=4
    ),
    st.booleans(),
)
def test_t89_nothing_a_carrier_sends_makes_it_raise(
    esm_class: int, payload: bytes, extra: list[tuple[int, bytes]], careless: bool
) -> None:
    channel = replace(CHANNEL, receipts_without_esm_class=careless)
    arrival = read_arrival(deliver(payload, esm_class, tuple(extra)), channel)
    if not isinstance(arrival, Inbound):
        assert arrival.state in ReceiptState
        assert "\0" not in arrival.message_id + arrival.stat + arrival.error  # PostgreSQL would refuse it


def test_an_id_longer_than_any_answer_can_carry_is_cut() -> None:
    assert len(read(TEXT.replace("0e999f21", "0e999f21" * 1000)).message_id) == 255


FINAL = [state for state in ReceiptState if state.final]


def test_t99_a_message_is_delivered_only_if_every_part_is() -> None:
    assert aggregate([ReceiptState.DELIVERED] * 3) is ReceiptState.DELIVERED
    for state in FINAL:
        assert aggregate([ReceiptState.DELIVERED, state, ReceiptState.DELIVERED]) is state


@pytest.mark.parametrize(
    ("graver", "lighter"),
    [
        (ReceiptState.REJECTED, ReceiptState.UNDELIVERED),
        (ReceiptState.UNDELIVERED, ReceiptState.EXPIRED),
        (ReceiptState.EXPIRED, ReceiptState.DELETED),
        (ReceiptState.DELETED, ReceiptState.UNKNOWN),
        (ReceiptState.UNKNOWN, ReceiptState.DELIVERED),
    ],
)
def test_t99_the_gravest_part_decides(graver: ReceiptState, lighter: ReceiptState) -> None:
    assert aggregate([lighter, graver]) is aggregate([graver, lighter]) is graver


@given(st.lists(st.sampled_from(list(ReceiptState)), max_size=6))
def test_t99_nothing_is_final_before_every_part_is(states: list[ReceiptState]) -> None:
    whole = aggregate(states)
    assert whole.final == (bool(states) and all(state.final for state in states))
    assert whole in states or whole is ReceiptState.ENROUTE
