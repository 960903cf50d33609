"""What time it is where a number is: number → IANA time zones."""

from functools import lru_cache

from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

NOWHERE = ("Etc/UTC",)  # numbers of no country: satellite, international freephone


@lru_cache(maxsize=8_192)
def _of_prefix(prefix: str) -> tuple[str, ...]:
    for length in range(len(prefix), 0, -1):
        found: tuple[str, ...] | None = TIMEZONE_DATA.get(prefix[:length])
        if found is not None:
            return found
    return NOWHERE


def zones_of(digits: str) -> tuple[str, ...]:
    """Return the zones a number (E.164 digits) may be in, at least one.

    More than one where the number does not tell: a mobile number of a country with several zones.
    """
    return _of_prefix(digits[:TIMEZONE_LONGEST_PREFIX])
