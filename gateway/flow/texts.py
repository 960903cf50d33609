"""The texts of a request: what its variables may hold, and which words it may not have."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import structlog

from config.schema import RiskRule
from gateway.domain.message import Purpose
from gateway.domain.risk import Policies, Policy
from gateway.domain.variables import bad_variable
from gateway.domain.words import BadWords, WordList, read_words
from gateway.errors import Invalid
from gateway.flow.unit import Then
from gateway.flow.verdicts import Verdicts
from gateway.live import Live

log = structlog.get_logger(__name__)

INTERVAL = 5.0  # seconds between two looks at the file of words
_KEPT = 4_096  # texts without a blocked word that are remembered: a campaign sends the same one again
_SHOWN = 20  # characters of a word


class TextGuard:
    """Judges texts: None means nothing is wrong. What stops a text is noted at once.

    What a rule in monitor mode finds is let pass, and how to note it added to `watched`: to be done once the
    text is accepted, since another check may still refuse it.
    """

    def __init__(self, policies: Live[Policies], words: Live[WordList], verdicts: Verdicts) -> None:
        self._policies = policies
        self._words = words
        self._verdicts = verdicts
        self._clean: set[tuple[str, Purpose]] = set()
        self._clean_by = words.value

    def values(
        self, account_id: str, purpose: Purpose, values: Sequence[str], watched: list[Then]
    ) -> str | None:
        """Return what is wrong with the values of a template's variables; never shows one."""
        if purpose is not Purpose.VERIFICATION:
            return None
        policy = self._policies.value.of(account_id)
        wrong = bad_variable(values, policy.variable_length)
        if wrong is None or not policy.runs(RiskRule.VARIABLES):
            return None
        note = partial(self._verdicts.note, account_id, RiskRule.VARIABLES, detail=wrong)
        return wrong if _stops(policy, RiskRule.VARIABLES, note, watched) else None

    def text(
        self, account_id: str, purpose: Purpose, text: str, countries: Iterable[str], watched: list[Then]
    ) -> str | None:
        """Return why `text` may not be sent to any of `countries`."""
        words = self._words.value
        if not words.words:
            return None
        if words is not self._clean_by or len(self._clean) >= _KEPT:
            self._clean, self._clean_by = set(), words
        if (text, purpose) in self._clean:
            return None
        found = words.find(text, purpose, countries)
        if found is None:
            self._remember(words, text, purpose)
            return None
        policy = self._policies.value.of(account_id)
        if not policy.runs(RiskRule.CONTENT):
            return None
        why = f"blocked word {found[:_SHOWN]!r}"
        note = partial(self._verdicts.note, account_id, RiskRule.CONTENT, detail=why)
        return why if _stops(policy, RiskRule.CONTENT, note, watched) else None

    def _remember(self, words: WordList, text: str, purpose: Purpose) -> None:
        """Remember a text without any word; one that has words for other countries is looked at each time."""
        if not words.by_country:
            self._clean.add((text, purpose))


def _stops(policy: Policy, rule: RiskRule, note: Callable[..., None], watched: list[Then]) -> bool:
    """Whether what `rule` has found stops the text; see to it that it is noted, now or later."""
    if policy.enforces(rule):
        note(mode=policy.modes[rule])
        return True
    watched.append(partial(note, mode=policy.modes[rule]))
    return False


class WordFile:
    """Keeps the words as their file has them."""

    def __init__(self, path: str, words: Live[WordList]) -> None:
        """`path` "": there is no file, and no word is blocked."""
        self._path = path
        self._words = words
        self._seen: tuple[int, int] | None = None

    async def load(self) -> None:
        """Read the file; raises `Invalid` if it cannot be used."""
        if self._path:
            self._seen = await asyncio.to_thread(_stamp, self._path)
            self._words.value = await asyncio.to_thread(load_words, self._path)

    async def run(self) -> None:
        """Read the file again whenever it has changed, until cancelled; a bad one changes nothing."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.look()

    async def look(self) -> None:
        """Read the file if it has changed."""
        if not self._path:
            return
        try:
            if await asyncio.to_thread(_stamp, self._path) == self._seen:
                return
            await self.load()
        except Invalid as error:
            log.error("words not read again", error=str(error))
            return
        log.info("words read", words=len(self._words.value.words))


def load_words(path: str) -> WordList:
    """Return the words in the file at `path`, ready; raises `Invalid`."""
    try:
        return WordList(read_words(Path(path).read_text(encoding="utf-8"))).ready()
    except (OSError, UnicodeDecodeError, BadWords) as error:
        raise Invalid(f"the word file {path} cannot be used: {error}") from None


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise Invalid(f"the word file {path} cannot be used: {error.strerror}") from None
    return status.st_mtime_ns, status.st_size
