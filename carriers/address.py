"""Handsets' numbers as carriers write them, read as E.164 digits as far as that can be told."""

from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from carriers.smpp.vocabulary import Ton

_HANDSETS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


class Handset(NamedTuple):
    """A sender."""

    digits: str  # E.164 without +; a name, a short code, or what nobody can tell, as it came
    national: bool = False  # a national number, and nobody can tell of which country


def region_of(country: str) -> str | None:
    """Return the ISO 3166 region that `country`, a region or a calling code, means; None if there is none."""
    region = phonenumbers.region_code_for_country_code(int(country)) if country.isdigit() else country
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


@lru_cache(maxsize=4_096)  # a parse takes 50 µs, and handsets write more than once
def read_handset(source: str, ton: int, country: str = "") -> Handset:
    """Return what `source` with that type of number means on a channel of `country` ("": of none).

    `+` and `00` begin an international number whatever its type says. A national one is `country`'s. So is
    one of unknown type if it begins with the country's 0 or is one of its mobile numbers, unless it has the
    calling code in front already; any other is international.
    """
    digits = source.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return Handset(digits)
    if digits.startswith("00"):
        return Handset(digits[2:])
    if source.strip().startswith("+") or ton not in (Ton.NATIONAL, Ton.UNKNOWN):
        return Handset(digits)
    region = region_of(country) if country else None
    found = None
    if region is not None:
        found = _national(digits, region) if ton == Ton.NATIONAL else _maybe_national(digits, region)
    if found is not None:
        return Handset(found)
    return Handset(digits, national=ton == Ton.NATIONAL)


def _national(digits: str, region: str) -> str | None:
    """Return a national number of `region` with its calling code, None if it cannot be one."""
    number = _parsed(digits, region)
    if number is None:
        return None
    # not whether its range is allocated: metadata is always older than the newest range
    possible = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return _digits(number) if possible else None


def _maybe_national(digits: str, region: str) -> str | None:
    """Do as `_national` does for a number that may as well be international, if it is in use in `region`."""
    calling_code = str(phonenumbers.country_code_for_region(region))
    if digits.startswith(calling_code):
        whole = _parsed("+" + digits, None)
        if whole is not None and phonenumbers.is_valid_number(whole):
            return None
    number = _parsed(digits, region)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    if not digits.startswith("0") and phonenumbers.number_type(number) not in _HANDSETS:
        return None
    return _digits(number)


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _digits(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
