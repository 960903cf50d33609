"""Blocked words: found in a text however they are written, ten thousand of them in a microsecond or two."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ahocorasick_rs import AhoCorasick

from gateway.domain.message import Purpose

MAX_WORDS = 100_000
MAX_WORD = 100  # characters

# what a reader does not see: Unicode's Default_Ignorable_Code_Point (soft hyphen, zero-width characters,
# direction marks, variation selectors, fillers, tags)
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_DOTTED = re.compile("i\u0307+")  # what case folding makes of the Turkish capital of a plain i
_NAMES = {purpose.name.lower(): purpose for purpose in Purpose}
_REGION = re.compile("[A-Z]{2}", re.ASCII)


class BadWords(ValueError):
    """A word file that cannot be used; names the lines and what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Word:
    """A blocked word; empty sets mean everywhere."""

    text: str  # normalised
    purposes: frozenset[Purpose] = frozenset()
    countries: frozenset[str] = frozenset()


def normalised(text: str) -> str:
    """Return `text` as words are compared: compatibility forms and case folded, unseen characters gone."""
    if text.isascii():
        return text.lower()
    if _UNSEEN.search(text) is not None:
        text = _UNSEEN.sub("", text)
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", _DOTTED.sub("i", folded))


def read_words(content: str) -> list[Word]:
    """Return the words of a file: one a line, `#` begins a remark, conditions follow a semicolon.

    `word; purpose=promotion; country=CN,MY`. Raises `BadWords` with every line that cannot be used.
    """
    words: dict[Word, None] = {}
    problems = []
    for number, whole in enumerate(content.lstrip("\ufeff").splitlines(), 1):
        line = whole.partition("#")[0].strip()
        if not line:
            continue
        try:
            words[_word(line)] = None
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if len(words) > MAX_WORDS:
        problems.append(f"more than {MAX_WORDS} words")
    if problems:
        raise BadWords("; ".join(problems[:20]))
    return list(words)


def _word(line: str) -> Word:
    given, *conditions = line.split(";")
    text = normalised(given.strip())
    if not text.strip() or len(text) > MAX_WORD:
        raise ValueError(f"a word has 1 to {MAX_WORD} characters")
    found: dict[str, frozenset[str]] = {}
    for condition in conditions:
        name, _, values = condition.partition("=")
        name = name.strip().lower()
        if name not in ("purpose", "country") or name in found:
            raise ValueError(f"{condition.strip()!r} is no condition: purpose=… or country=…, each once")
        found[name] = frozenset(value.strip() for value in values.split(","))
    purposes = {name.lower() for name in found.get("purpose", ())}
    countries = {name.upper() for name in found.get("country", ())}
    if not purposes <= _NAMES.keys():
        raise ValueError(f"a purpose is one of {', '.join(_NAMES)}")
    if not all(_REGION.fullmatch(name) for name in countries):
        raise ValueError("a country is an ISO 3166 region such as CN")
    return Word(text, frozenset(_NAMES[name] for name in purposes), frozenset(countries))


@dataclass(frozen=True)
class WordList:
    """Words ready to be looked for; immutable, replaced whole."""

    words: Sequence[Word] = ()

    @cached_property
    def _matcher(self) -> AhoCorasick:
        return AhoCorasick([word.text for word in self.words], store_patterns=False)

    @cached_property
    def by_country(self) -> bool:
        """Whether a word counts in some countries only: then the verdict on a text is not always the same."""
        return any(word.countries for word in self.words)

    def ready(self) -> "WordList":
        """Build what looking needs, tens of milliseconds for 10,000 words, and return itself."""
        if self.words:
            self._matcher.find_matches_as_indexes("")
        return self

    def find(self, text: str, purpose: Purpose, countries: Iterable[str]) -> str | None:
        """Return the first word that `text` may not have in a message of `purpose` to one of `countries`.

        A word of letters or digits is found only where it stands alone: no `ass` in `class`. Scripts that
        write without spaces have no such bounds.
        """
        if not self.words:
            return None
        plain = normalised(text)
        found = self._matcher.find_matches_as_indexes(plain, overlapping=True)
        if not found:
            return None
        places = frozenset(countries)
        for index, start, end in found:
            word = self.words[index]
            if word.purposes and purpose not in word.purposes:
                continue
            if word.countries and word.countries.isdisjoint(places):
                continue
            if not (_goes_on(plain, start) or _goes_on(plain, end)):
                return word.text
        return None


def _goes_on(text: str, place: int) -> bool:
    """Whether a Latin word or a number goes on over `place`."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    return (_letter(before) and _letter(after)) or (before.isdigit() and after.isdigit())


def _letter(character: str) -> bool:
    return character.isalpha() and ord(character) < 0x250  # Latin; other alphabets need no such care
