"""Words by which a handset says that it wants no more messages, or wants them again."""

from collections.abc import Iterable, Mapping

from gateway.domain.inbound import Wish
from gateway.domain.words import normalised


def plain(text: str) -> str:
    """Return `text` as words are compared: `normalised`, without NUL and white space around."""
    return normalised(text.replace("\0", "")).strip()


class Keywords:
    """The words of every language together: a message is compared whole, never searched."""

    def __init__(self, opt_out: Mapping[str, Iterable[str]], opt_in: Mapping[str, Iterable[str]]) -> None:
        """Take words by language. A word in both wishes is one to stop: that harms nobody."""
        self._wishes = dict.fromkeys(_plain_words(opt_in), Wish.OPT_IN)
        self._wishes |= dict.fromkeys(_plain_words(opt_out), Wish.OPT_OUT)
        self._longest = max(map(len, self._wishes), default=0)

    def wish(self, text: str | None) -> Wish:
        """Return what a message asks for by its whole text."""
        if not text or len(text) > 8 * self._longest + 64:  # NFKC shortens, but not that much
            return Wish.NONE
        return self._wishes.get(plain(text), Wish.NONE)


def _plain_words(by_language: Mapping[str, Iterable[str]]) -> list[str]:
    return [plain(word) for words in by_language.values() for word in words]
