"""Texts as segments: what is cut where, and what that counts for."""

import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carriers.smpp.alphabet import ESCAPE, GSM_DEFAULT, UCS2, decode_gsm, decode_payload
from carriers.smpp.text import (
    MAX_PARTS,
    Part,
    References,
    Unencodable,
    encode_text,
)
from config.schema import Concatenation

SPLITTING = [Concatenation.UDH8, Concatenation.UDH16, Concatenation.SAR]
GSM_LIMIT = {Concatenation.UDH8: 153, Concatenation.UDH16: 152, Concatenation.SAR: 153}
UCS2_LIMIT = {Concatenation.UDH8: 67, Concatenation.UDH16: 66, Concatenation.SAR: 67}

# what templates and tricksters contain: plain, extension (two septets), CJK, emoji (surrogate pairs), joiners
LENGTHS = [0, 1, 69, 70, 71, 152, 153, 160, 161, 307, 500]
PIECES = ["a", "0", " ", "é", "€", "[", "|", "你", "`", "😀", "👨\u200d👩", "e\u0301", "\t"]


def joined(parts: tuple[Part, ...], alphabet: str = "gsm") -> str:
    texts = [decode_payload(part.data_coding, part.payload, alphabet) for part in parts]
    assert all(text.exact for text in texts)
    return "".join(text.text or "" for text in texts)


def segments(parts: tuple[Part, ...]) -> int:
    return sum(part.weight for part in parts)


@pytest.mark.parametrize("concatenation", SPLITTING)
@pytest.mark.parametrize("delta", [-1, 0, 1])
def test_t77_septets_fill_their_segments(concatenation: Concatenation, delta: int) -> None:
    limit = GSM_LIMIT[concatenation]
    assert segments(encode_text("a" * (160 + delta), concatenation)) == (1 if delta <= 0 else 2)
    assert segments(encode_text("a" * (2 * limit + delta), concatenation)) == (2 if delta <= 0 else 3)
    parts = encode_text("a" * (2 * limit + 1), concatenation)
    assert [len(part.payload) for part in parts] == [limit, limit, 1]


@pytest.mark.parametrize("concatenation", SPLITTING)
@pytest.mark.parametrize("delta", [-1, 0, 1])
def test_t77_utf16_fills_its_segments(concatenation: Concatenation, delta: int) -> None:
    limit = UCS2_LIMIT[concatenation]
    assert segments(encode_text("你" * (70 + delta), concatenation)) == (1 if delta <= 0 else 2)
    assert segments(encode_text("你" * (2 * limit + delta), concatenation)) == (2 if delta <= 0 else 3)
    parts = encode_text("你" * (2 * limit + 1), concatenation)
    assert [len(part.payload) for part in parts] == [2 * limit, 2 * limit, 2]


def test_t78_an_escaped_character_at_the_border_moves_whole() -> None:
    first, second = encode_text("a" * 152 + "€" + "b" * 10)
    assert first.payload == b"a" * 152
    assert second.payload == b"\x1b\x65" + b"b" * 10


def test_t78_an_escaped_character_that_ends_a_part_stays() -> None:
    first, second = encode_text("a" * 151 + "€" + "b" * 10)
    assert first.payload == b"a" * 151 + b"\x1b\x65"
    assert second.payload == b"b" * 10


def test_t79_a_surrogate_pair_at_the_border_moves_whole() -> None:
    first, second = encode_text("你" * 66 + "😀" + "好" * 5)
    assert joined((first,)) == "你" * 66
    assert joined((second,)) == "😀" + "好" * 5


def test_t79_a_joined_emoji_may_be_cut_between_its_characters_and_joins_again() -> None:
    text = "你" * 65 + "👨\u200d👩\u200d👧" * 3
    assert joined(encode_text(text)) == text


def test_t80_ten_thousand_texts_count_the_same_however_they_are_joined() -> None:
    chance = random.Random(20261123)
    for _ in range(10_000):
        pieces = PIECES[: chance.choice([3, 7, len(PIECES)])]
        text = "".join(chance.choices(pieces, k=chance.choice(LENGTHS)))
        concatenation = chance.choice(SPLITTING)
        parts = encode_text(text, concatenation)
        assert (
            segments(encode_text(text, Concatenation.PAYLOAD))
            == segments(encode_text(text))
            == segments(encode_text(text, Concatenation.SAR))
        )
        check_parts(text, parts, concatenation)


@given(
    st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=400).map("".join),
    st.sampled_from(SPLITTING),
    st.sampled_from(["gsm", "ascii", "latin1"]),
)
@example("a" * 152 + "€", Concatenation.UDH8, "gsm")
@example("é€" * 80, Concatenation.UDH16, "latin1")
def test_t80_any_text_counts_as_it_is_cut_and_joins_again(
    text: str, concatenation: Concatenation, alphabet: str
) -> None:
    parts = encode_text(text, concatenation, alphabet)
    assert segments(parts) == len(parts)
    check_parts(text, parts, concatenation, alphabet)


def check_parts(
    text: str, parts: tuple[Part, ...], concatenation: Concatenation, alphabet: str = "gsm"
) -> None:
    assert joined(parts, alphabet) == text
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert {part.total for part in parts} == {len(parts)}
    assert {part.data_coding for part in parts} <= {GSM_DEFAULT, UCS2}
    single = len(parts) == 1
    assert {part.concat for part in parts} == {None if single else concatenation}
    for part in parts:
        septets = part.data_coding == GSM_DEFAULT
        limit = GSM_LIMIT[concatenation] if septets else 2 * UCS2_LIMIT[concatenation]
        assert len(part.payload) <= ((160 if septets else 140) if single else limit)


@given(st.lists(st.sampled_from("ab€[é"), min_size=150, max_size=300).map("".join))
def test_t78_no_part_ends_with_an_escape(text: str) -> None:
    parts = encode_text(text)
    assert not any(part.payload.endswith(bytes([ESCAPE])) for part in parts)
    assert "".join(decode_gsm(part.payload) for part in parts) == text


def test_an_empty_text_is_one_empty_segment() -> None:
    assert encode_text("") == (Part(GSM_DEFAULT, b""),)


def test_a_text_that_fits_needs_no_joining_on_any_channel() -> None:
    for concatenation in Concatenation:
        assert encode_text("a" * 160, concatenation) == (Part(GSM_DEFAULT, b"a" * 160),)


@pytest.mark.parametrize(("text", "weight"), [("a" * 306, 2), ("a" * 307, 3), ("你" * 71, 2)])
def test_a_message_payload_is_one_part_that_weighs_what_the_carrier_makes_of_it(
    text: str, weight: int
) -> None:
    (part,) = encode_text(text, Concatenation.PAYLOAD)
    assert (part.number, part.total, part.concat) == (1, 1, Concatenation.PAYLOAD)
    assert part.weight == weight
    assert joined((part,)) == text


@pytest.mark.parametrize(
    ("alphabet", "text", "data_coding", "payload"),
    [
        ("gsm", "é@_", GSM_DEFAULT, b"\x05\x00\x11"),
        ("latin1", "é@_", GSM_DEFAULT, b"\xe9@_"),
        ("ascii", "a@_", GSM_DEFAULT, b"a@_"),
        ("ascii", "é", UCS2, b"\x00\xe9"),
        ("latin1", "€", UCS2, b"\x20\xac"),
        ("latin1", "ç", UCS2, b"\x00\xe7"),  # in Latin-1, but the radio has only the capital
        ("ascii", "`", UCS2, b"\x00`"),
    ],
)
def test_t71_data_coding_zero_is_written_in_the_channels_alphabet(
    alphabet: str, text: str, data_coding: int, payload: bytes
) -> None:
    assert encode_text(text, alphabet=alphabet) == (Part(data_coding, payload),)


def test_t71_an_ascii_channel_still_counts_what_the_radio_carries() -> None:
    text = "[" * 81  # 162 septets, 81 octets
    first, second = encode_text(text, alphabet="ascii")
    assert (first.payload, second.payload) == (b"[" * 76, b"[" * 5)


def test_t86_what_the_alphabet_lacks_goes_as_utf16_and_is_never_replaced() -> None:
    (part,) = encode_text("naïve `code`")
    assert part.data_coding == UCS2
    assert joined((part,)) == "naïve `code`"


def test_half_a_surrogate_pair_cannot_be_sent() -> None:
    with pytest.raises(Unencodable, match="character 2"):
        encode_text("ab\ud83d")


@pytest.mark.parametrize("concatenation", list(Concatenation))
def test_a_message_has_no_more_parts_than_its_header_can_count(concatenation: Concatenation) -> None:
    step = GSM_LIMIT.get(concatenation, 153)
    assert segments(encode_text("a" * step * MAX_PARTS, concatenation)) == MAX_PARTS
    with pytest.raises(Unencodable, match="255"):
        encode_text("a" * (step * MAX_PARTS + 1), concatenation)


class Handset:
    """Joins parts as a handset does: by sender and reference; a complete message is shown and forgotten."""

    def __init__(self) -> None:
        self.open: dict[tuple[int, int], dict[int, str]] = {}
        self.shown: list[str] = []

    def receive(self, reference: int, part: Part) -> None:
        got = self.open.setdefault((reference, part.total), {})
        got[part.number] = joined((part,))
        if len(got) == part.total:
            del self.open[reference, part.total]
            self.shown.append("".join(got[number] for number in sorted(got)))


def long_message(index: int) -> str:
    return f"message {index:03} " * 30


@pytest.mark.parametrize("concatenation", [Concatenation.UDH16, Concatenation.SAR])
def test_t81_three_hundred_long_messages_to_one_handset_in_any_order(concatenation: Concatenation) -> None:
    references = References(start=0xFFF0)
    air = [
        (reference, part)
        for index in range(300)
        for reference in [references.take("60123456789", concatenation)]
        for part in encode_text(long_message(index), concatenation)
    ]
    random.Random(81).shuffle(air)
    handset = Handset()
    for reference, part in air:
        handset.receive(reference, part)
    assert sorted(handset.shown) == [long_message(index) for index in range(300)]


def test_t81_eight_bit_references_hold_as_long_as_fewer_than_256_messages_overtake() -> None:
    references = References(start=7)
    air = [
        ((index + delay) * 10 + part.number, reference, part)
        for index in range(300)
        for delay in [random.Random(index).randrange(200)]
        for reference in [references.take("60123456789")]
        for part in encode_text(long_message(index))
    ]
    handset = Handset()
    for _, reference, part in sorted(air, key=lambda item: item[0]):
        handset.receive(reference, part)
    assert sorted(handset.shown) == [long_message(index) for index in range(300)]


@given(st.lists(st.sampled_from(["601", "602", "603"]), max_size=400), st.integers(0, 0xFFFF))
def test_t81_a_destination_counts_on_its_own_and_uses_every_number(to: list[str], start: int) -> None:
    references = References(start=start)
    taken: dict[str, list[int]] = {}
    for destination in to:
        taken.setdefault(destination, []).append(references.take(destination))
    for numbers in taken.values():
        assert all((after - before) % 256 == 1 for before, after in pairwise(numbers))
        assert all(0 <= number < 256 for number in numbers)


def test_t81_the_memory_of_references_is_bounded_and_drops_the_longest_unused() -> None:
    references = References(remembered=2, start=0)
    first = references.take("a")
    references.take("b")
    references.take("a")
    references.take("c")  # b is forgotten, a is not
    assert references.take("a") == first + 2
    assert len(references) == 2
