"""The world's number plan: calling code → country and possible lengths, built once from `phonenumbers`.

Whether a range is allocated is not judged: metadata is always older than the newest range, and a number
refused here could never be sent.
"""

from dataclasses import dataclass

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

from routing.prefixes import Claim, Tree, build_tree, look_up

WORLD = "001"  # region of codes that belong to no country: satellite, international freephone (UN M.49)

_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


@dataclass(frozen=True, slots=True)
class CallingCode:
    """One country calling code."""

    code: str
    lengths: frozenset[int]  # of whole numbers, calling code included
    region: str  # ISO 3166, the main one where several share the code
    tree: "Tree | None" = None  # only where several share it

    def region_of(self, digits: str) -> str:
        """Return the region of a whole number with this calling code."""
        return self.region if self.tree is None else look_up(self.tree, digits, len(self.code))


@dataclass(frozen=True, slots=True)
class Home:
    """How numbers are written inside one country."""

    region: str
    code: str
    trunk: str  # what is dialled in front of a number inside the country; "" if nothing
    lengths: frozenset[int]  # of whole numbers, calling code included


class NumberPlan:
    """Answers for E.164 digits without `+`. Immutable; build one and share it."""

    __slots__ = ("_codes",)

    def __init__(self) -> None:
        """Read the metadata of every country: a fifth of a second."""
        # no calling code begins another and none is longer than three digits, so three digits decide
        self._codes: dict[str, CallingCode] = {}
        for number, regions in COUNTRY_CODE_TO_REGION_CODE.items():
            entry = _calling_code(number, regions)
            width = 3 - len(entry.code)
            for rest in range(10**width):
                self._codes[entry.code + (str(rest).zfill(width) if width else "")] = entry

    def calling_code(self, digits: str) -> CallingCode | None:
        """Return the calling code `digits` begin with, or None if there is no such code."""
        return self._codes.get(digits[:3])

    def country(self, digits: str) -> str | None:
        """Return the ISO region of a number, `WORLD` for codes of no country, None for an unknown code."""
        entry = self._codes.get(digits[:3])
        return None if entry is None else entry.region_of(digits)

    def locate(self, digits: str) -> str | None:
        """Return `country(digits)` if the number is `possible`, else None: both in one look."""
        entry = self._codes.get(digits[:3])
        if entry is None or len(digits) not in entry.lengths:
            return None
        return entry.region if entry.tree is None else entry.region_of(digits)

    def possible(self, digits: str) -> bool:
        """Return whether the calling code is known and the length occurs there."""
        entry = self._codes.get(digits[:3])
        return entry is not None and len(digits) in entry.lengths

    def home(self, region: str) -> Home:
        """Return how numbers are written in `region`; raises `ValueError` if it is none."""
        metadata = PhoneMetadata.metadata_for_region(region, None)
        if metadata is None:
            raise ValueError(f"no such region: {region!r}; an ISO 3166 code such as CN or SG is needed")
        code = str(metadata.country_code)
        return Home(region, code, metadata.national_prefix or "", self._codes[code.ljust(3, "0")].lengths)


def _calling_code(number: int, regions: tuple[str, ...]) -> CallingCode:
    code = str(number)
    metadata = [_metadata(number, region) for region in regions]
    main = metadata[0].general_desc
    lengths = frozenset(len(code) + length for length in (main.possible_length if main else ()))
    if len(regions) == 1:
        return CallingCode(code, lengths, regions[0])
    tree = build_tree([_claim(one) for one in metadata], fallback=regions[0])
    return CallingCode(code, lengths, regions[0], tree)


def _metadata(number: int, region: str) -> PhoneMetadata:
    found = (
        PhoneMetadata.metadata_for_nongeo_region(number)
        if region == WORLD
        else PhoneMetadata.metadata_for_region(region)
    )
    if found is None:
        raise LookupError(f"phonenumbers names region {region} for +{number} but does not describe it")
    return found


def _claim(metadata: PhoneMetadata) -> Claim:
    if metadata.leading_digits is not None:
        return Claim(metadata.id, (metadata.leading_digits,), by_prefix=True)
    described = (getattr(metadata, name) for name in _TYPES)
    patterns = {one.national_number_pattern for one in described if one is not None}
    return Claim(metadata.id, tuple(sorted(pattern for pattern in patterns if pattern)))
