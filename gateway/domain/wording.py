"""Finds words in texts that try to hide them: other case, full width, blanks and marks between the letters.

A text is looked at in two forms. Words of scripts that write no blanks are sought in its letters alone, so
`赌 博` and `赌*{1}博` hold 赌博. Words of other scripts are sought whole, with any but letters and digits
between their letters, so `C-A-S-I-N-O` holds casino and `class` holds no shorter word.
"""

import re
import unicodedata
from collections.abc import Iterable

MAX_GAP = 3  # marks between two letters of a hidden word

_VARIABLE = re.compile(r"\{\s*\d+\s*\}")
# invisible ones, and what NFKC leaves of marks above letters
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_GAP = rf"[\W_]{{0,{MAX_GAP}}}"
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")


def plain(text: str) -> str:
    """Return `text` in narrow forms and lower case, variables as blanks, invisible characters left out."""
    text = _UNSEEN.sub("", _VARIABLE.sub(" ", text))
    return unicodedata.normalize("NFKC", text).casefold()


def letters(text: str) -> str:
    """Return the letters and digits of a `plain` text."""
    return "".join(character for character in text if character.isalnum())


class WordFinder:
    """Looks for a set of words at once."""

    def __init__(self, words: Iterable[str], patterns: Iterable[str] = ()) -> None:
        """A word's `*` at its end stands for any ending; `patterns` are tried on the `plain` text."""
        plain_words = {plain(word) for word in words}
        dense = sorted({letters(word) for word in plain_words if _CJK.search(word)}, key=len, reverse=True)
        spaced = sorted((word for word in plain_words if not _CJK.search(word)), key=len, reverse=True)
        self._dense = re.compile("|".join(map(re.escape, dense))) if dense else None
        self._spaced = re.compile("|".join(map(_hidden, spaced))) if spaced else None
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def find(self, text: str) -> str:
        """Return the first thing found, as it stands in the plain text; "" if there is nothing."""
        seen = plain(text)
        if self._dense is not None and (found := self._dense.search(letters(seen))):
            return found[0]
        sought = self._patterns if self._spaced is None else [self._spaced, *self._patterns]
        for pattern in sought:
            if found := pattern.search(seen):
                return found[0]
        return ""

    def ends(self, text: str) -> bool:
        """Whether `text` ends with one of the words, but for marks."""
        seen = plain(text)
        dense = letters(seen)
        if self._dense is not None and any(
            found.end() == len(dense) for found in self._dense.finditer(dense)
        ):
            return True
        if self._spaced is None:
            return False
        return any(not letters(seen[found.end() :]) for found in self._spaced.finditer(seen))


def _hidden(word: str) -> str:
    """Return the pattern of a word whose letters may stand apart."""
    open_end = word.endswith("*")
    apart = _GAP.join(re.escape(letter) for letter in letters(word))
    return rf"(?<![^\W_]){apart}" + ("" if open_end else r"(?![^\W_])")
