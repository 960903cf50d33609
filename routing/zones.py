"""What time it is where a number is: number → IANA time zones."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

NOWHERE = ("Etc/UTC",)  # numbers of no country: satellite, international freephone

# North America has no numbers for mobiles alone; in the others the prefix of a mobile says where it is from
# (as phonenumbers has it: Mexico, Argentina, Brazil, Indonesia, China)
_TELLING = frozenset({1, 52, 54, 55, 62, 86})


@lru_cache(maxsize=8_192)
def _of_prefix(prefix: str) -> tuple[str, ...]:
    for length in range(len(prefix), 0, -1):
        found: tuple[str, ...] | None = TIMEZONE_DATA.get(prefix[:length])
        if found is not None:
            return found
    return NOWHERE


@cache
def _mobiles() -> dict[str, re.Pattern[str]]:
    """Return, by calling code, what numbers look like that are at home anywhere in a country of many zones.

    The table of zones knows them only by the zone most of them are in: Moscow for those of all Russia.
    """
    return dict(_found())


def _found() -> Iterator[tuple[str, re.Pattern[str]]]:
    for number, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        code = str(number)
        if number in _TELLING or len(TIMEZONE_DATA.get(code, ())) < 2:
            continue
        metadata = PhoneMetadata.metadata_for_region(regions[0], None)
        mobile = metadata and metadata.mobile and metadata.mobile.national_number_pattern
        fixed = metadata and metadata.fixed_line and metadata.fixed_line.national_number_pattern
        if mobile:
            not_fixed = f"(?!(?:{fixed})$)" if fixed else ""
            yield code, re.compile(f"{code}{not_fixed}(?:{mobile})", re.ASCII)


def zones_of(digits: str) -> tuple[str, ...]:
    """Return the zones a number (E.164 digits) may be in, at least one.

    More than one where the number does not tell: a mobile number of a country with several zones.
    """
    mobiles = _mobiles()
    for length in (1, 2, 3):  # no calling code begins another
        mobile = mobiles.get(digits[:length])
        if mobile is not None:
            if mobile.fullmatch(digits):
                everywhere: tuple[str, ...] = TIMEZONE_DATA[digits[:length]]
                return everywhere
            break
    return _of_prefix(digits[:TIMEZONE_LONGEST_PREFIX])
