"""The number plan against the library it is made from."""

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, ValidationResult

from routing.plan import WORLD, NumberPlan

PLAN = NumberPlan()
CODES = sorted(COUNTRY_CODE_TO_REGION_CODE)
TYPES = [
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
]

EXAMPLES = [
    (region, kind)
    for regions in COUNTRY_CODE_TO_REGION_CODE.values()
    for region in regions
    for kind in TYPES
    if phonenumbers.example_number_for_type(region, kind) is not None
]


def whole(number: PhoneNumber) -> str:
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


@given(st.sampled_from(CODES), st.text("0123456789", min_size=1, max_size=17))
def test_possible_means_what_the_metadata_says(code: int, national: str) -> None:
    zeros = len(national) - len(national.lstrip("0"))
    number = PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=bool(zeros) or None,
        number_of_leading_zeros=zeros if int(national) else zeros - 1,
    )
    expected = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    assert PLAN.possible(f"{code}{national}") == expected


@pytest.mark.parametrize(("region", "kind"), EXAMPLES)
def test_every_regions_example_is_possible_and_placed_like_the_library_places_it(
    region: str, kind: int
) -> None:
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None
    assert PLAN.possible(whole(example))
    assert PLAN.country(whole(example)) == phonenumbers.region_code_for_number(example)


def test_valid_numbers_of_shared_codes_are_placed_like_the_library_places_them() -> None:
    chance = random.Random(1)
    shared = [code for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1]
    checked = 0
    for code in shared:
        for region in COUNTRY_CODE_TO_REGION_CODE[code]:
            for example in filter(
                None, (phonenumbers.example_number_for_type(region, kind) for kind in TYPES)
            ):
                for _ in range(20):
                    tail = chance.randrange(10**5)
                    number = PhoneNumber(
                        country_code=code,
                        national_number=(example.national_number or 0) // 10**5 * 10**5 + tail,
                        italian_leading_zero=example.italian_leading_zero,
                    )
                    if phonenumbers.is_valid_number(number):
                        checked += 1
                        assert PLAN.country(whole(number)) == phonenumbers.region_code_for_number(number)
    assert checked > 1000


@pytest.mark.parametrize(
    ("digits", "country"),
    [
        ("8618500000123", "CN"),
        ("60123456789", "MY"),
        ("6591234567", "SG"),
        ("12125550100", "US"),
        ("14165550100", "CA"),
        ("18765550100", "JM"),
        ("447400123456", "GB"),
        ("447781123456", "GG"),
        ("79161234567", "RU"),
        ("77011234567", "KZ"),
        ("393123456789", "IT"),
        ("390669812345", "VA"),
        ("881612345678", WORLD),
    ],
)
def test_numbers_are_placed(digits: str, country: str) -> None:
    assert PLAN.country(digits) == PLAN.locate(digits) == country
    assert PLAN.possible(digits)


@pytest.mark.parametrize("digits", ["", "9", "99", "21012345678", "99912345678", "0123456789"])
def test_an_unknown_code_is_no_country(digits: str) -> None:
    assert PLAN.country(digits) is None
    assert PLAN.locate(digits) is None
    assert not PLAN.possible(digits)


def test_a_range_nobody_was_given_is_not_judged() -> None:
    assert not phonenumbers.is_valid_number(phonenumbers.parse("+8610000000000"))
    assert PLAN.locate("8610000000000") == "CN"


def test_a_known_country_with_an_impossible_length_is_known_and_not_possible() -> None:
    assert PLAN.country("60123") == "MY"
    assert not PLAN.possible("60123")
    assert PLAN.locate("60123") is None


@given(st.text("0123456789", max_size=20))
def test_locate_is_country_of_the_possible(digits: str) -> None:
    assert PLAN.locate(digits) == (PLAN.country(digits) if PLAN.possible(digits) else None)


def test_homes_know_their_code_and_trunk_prefix() -> None:
    assert (PLAN.home("CN").code, PLAN.home("CN").trunk) == ("86", "0")
    assert (PLAN.home("SG").code, PLAN.home("SG").trunk) == ("65", "")
    assert (PLAN.home("RU").code, PLAN.home("RU").trunk) == ("7", "8")
    assert PLAN.home("CA").code == "1"


@pytest.mark.parametrize("region", ["ZZ", "cn", "", "001"])
def test_what_is_no_region_is_no_home(region: str) -> None:
    with pytest.raises(ValueError, match="region"):
        PLAN.home(region)
