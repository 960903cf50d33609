"""Numbers as customers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.number import Number, NumberReader, mask, spell
from routing.plan import NumberPlan

PLAN = NumberPlan()
CHINA = NumberReader(PLAN, "CN")
READERS = {region: NumberReader(PLAN, region) for region in ["CN", "SG", "MY", "RU", "US", "HU", "IT"]}


@pytest.mark.parametrize(
    "given",
    ["(60)123456789", "(0060)123456789", "+60123456789", " (60)123456789\r\n", "\t+60123456789"],
)
def test_every_form_that_names_its_country(given: str) -> None:
    assert CHINA.read(given) == Number("60123456789", "MY")


@pytest.mark.parametrize("given", ["18500000123", "(86)18500000123", "(0086)18500000123", "+8618500000123"])
def test_a_bare_number_is_the_default_countrys(given: str) -> None:
    assert CHINA.read(given) == Number("8618500000123", "CN")


@pytest.mark.parametrize(
    ("region", "given", "digits"),
    [
        ("CN", "18500000123", "8618500000123"),
        ("CN", "01012345678", "861012345678"),
        ("SG", "91234567", "6591234567"),
        ("MY", "123456789", "60123456789"),
        ("MY", "0123456789", "60123456789"),
        ("RU", "9161234567", "79161234567"),
        ("RU", "89161234567", "79161234567"),
        ("RU", "8001234567", "78001234567"),  # begins like the trunk prefix and is not
        ("US", "2125550100", "12125550100"),
        ("US", "12125550100", "12125550100"),
        ("HU", "06201234567", "36201234567"),
        ("IT", "0669812345", "390669812345"),  # no trunk prefix: the zero belongs to the number
    ],
)
def test_the_default_country_and_its_trunk_prefix(region: str, given: str, digits: str) -> None:
    number = READERS[region].read(given)
    assert number is not None
    assert number.digits == digits


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "+",
        "()",
        "(60)",
        "(60",
        "60)123456789",
        "((60))123456789",
        "(60)(60)123456789",
        "(+60)123456789",
        "(6)0123456789",  # the parentheses hold exactly a calling code
        "(601)23456789",
        "(000060)123456789",
        "( 60)123456789",
        "(60) 123456789",
        "+0060123456789",
        "0060123456789",
        "++60123456789",
        "+60 12 345 6789",
        "+60-123456789",
        "185 0000 0123",
        "185-0000-0123",
        "1850000012a",
        "１８５００００００１２３",
        "(６０)123456789",
        "١٨٥٠٠٠٠٠١٢٣",
        "1850000012³",
        "tel:+60123456789",
        "+60123456789;ext=1",
        "+60123456789\0",
    ],
)
def test_anything_else_is_refused_never_guessed_at(given: str) -> None:
    assert CHINA.read(given) is None


@pytest.mark.parametrize(
    "given", ["+999123456789", "(210)12345678", "(60)123", "185", "+6012345678901234", "1"]
)
def test_an_unknown_code_or_an_impossible_length_is_refused(given: str) -> None:
    assert CHINA.read(given) is None


def test_a_default_country_must_exist() -> None:
    with pytest.raises(ValueError, match="'XX'"):
        NumberReader(PLAN, "XX")


@given(st.text("0123456789()+ -a０", max_size=20), st.sampled_from(sorted(READERS)))
def test_what_is_read_is_possible_and_reads_the_same_again(given: str, region: str) -> None:
    number = READERS[region].read(given)
    if number is not None:
        assert number.digits.isascii()
        assert PLAN.locate(number.digits) == number.country
        assert READERS[region].read("+" + number.digits) == number
        for one in ("(", "(00"):
            code = PLAN.calling_code(number.digits)
            assert code is not None
            written = f"{one}{code.code}){number.digits[len(code.code) :]}"
            assert READERS[region].read(written) == number


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("60123456789", "6012*****89"),
        ("(60)123456789", "(60)*******89"),
        ("+8618500000123", "+861********23"),
        ("185000001", "1850***01"),
        ("12345678", "********"),
        ("", ""),
    ],
)
def test_a_masked_number_shows_its_ends_only(number: str, masked: str) -> None:
    assert mask(number) == masked


@given(st.text("0123456789", max_size=20))
def test_a_mask_hides_at_least_three_digits_and_keeps_the_length(number: str) -> None:
    masked = mask(number)
    assert len(masked) == len(number)
    assert masked.count("*") >= min(3, len(number))


@pytest.mark.parametrize(
    ("digits", "written"),
    [
        ("60123456789", "(60)123456789"),
        ("8618500000123", "18500000123"),
        ("12025550123", "(1)2025550123"),
        ("85212345678", "(852)12345678"),
        ("10690", "10690"),
        ("", ""),
        ("Acme", "Acme"),
        ("210123456789", "210123456789"),  # no such calling code
    ],
)
def test_a_number_is_spelled_as_customers_write_it(digits: str, written: str) -> None:
    assert spell(digits, "86") == written


@pytest.mark.parametrize(
    "given",
    [
        "+86 185 0000 0123", "0086 185-0000-0123", "008618500000123", "(86)18500000123", "(0086) 18500000123",
        "+86 (0)185 0000 0123", "\uff0b\uff18\uff1618500000123", "+86.185.0000.0123",
        "\u202a+8618500000123\u202c",
        "+86\u00a0185\u20110000\u20110123", "\t+8618500000123\n",
    ],
)  # fmt: skip
def test_a_search_takes_a_number_as_people_write_it(given: str) -> None:
    assert CHINA.meant(given) == ("8618500000123",)


def test_bare_digits_of_a_search_may_mean_two_numbers() -> None:
    assert CHINA.meant("185 0000 0123") == ("18500000123", "8618500000123")
    assert CHINA.meant("8618500000123") == ("8618500000123",)
    assert READERS["MY"].meant("012-345 6789") == ("0123456789", "60123456789")


@pytest.mark.parametrize(
    "given", ["", " ", "+", "00", "()", "abc", "1850000x123", "1" * 16, "٣٤٥٦٧٨٩٠", "+86 OR 1=1"]
)
def test_a_search_for_no_number_finds_none(given: str) -> None:
    assert CHINA.meant(given) == ()


@given(text=st.text(max_size=30))
def test_a_search_never_raises_and_asks_for_digits_only(text: str) -> None:
    for digits in CHINA.meant(text):
        assert digits.isascii()
        assert digits.isdigit()
        assert len(digits) <= 15
