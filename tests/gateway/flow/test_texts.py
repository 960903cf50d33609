"""Texts are judged by the words there are now, and by the account's own rules."""

import os
from pathlib import Path

import pytest

from config.schema import RiskMode, RiskRule, RiskSettings
from gateway.domain.message import Purpose
from gateway.domain.risk import Policies, Policy
from gateway.domain.words import WordList, read_words
from gateway.errors import Invalid
from gateway.flow import texts
from gateway.flow.texts import TextGuard, WordFile, load_words
from gateway.flow.unit import Then
from gateway.live import Live
from tests.support.flow import flow
from tests.support.scloud import RecordingVerdicts


class Judge:
    """A guard with words and rules that a test changes."""

    def __init__(self, words: str = "", **modes: str) -> None:
        self.words = Live(WordList(read_words(words)))
        everybody = Policy.of(RiskSettings(modes=modes))
        self.policies = Live(Policies(everybody))
        self.verdicts = RecordingVerdicts()
        self.watched: list[Then] = []
        self.guard = TextGuard(self.policies, self.words, self.verdicts)  # type: ignore[arg-type]

    def __call__(self, text: str, country: str = "CN", purpose: Purpose = Purpose.PROMOTION) -> str | None:
        return self.guard.text("acc-1", purpose, text, [country], self.watched)


def test_a_blocked_word_is_named() -> None:
    judge = Judge("casino\n发票")
    assert judge("To the casino") == "blocked word 'casino'"
    assert judge("代开发票") == "blocked word '发票'"
    assert judge("hello") is None
    assert judge.verdicts.noted == [("acc-1", RiskRule.CONTENT, RiskMode.ON)] * 2


def test_what_a_rule_only_watches_is_noted_once_the_text_is_accepted() -> None:
    judge = Judge("casino", content="monitor", variables="monitor")
    assert judge("To the casino") is None
    assert judge.guard.values("acc-1", Purpose.VERIFICATION, ["much too long"], judge.watched) is None
    assert judge.verdicts.noted == []
    for note in judge.watched:
        note()
    assert judge.verdicts.noted == [
        ("acc-1", RiskRule.CONTENT, RiskMode.MONITOR),
        ("acc-1", RiskRule.VARIABLES, RiskMode.MONITOR),
    ]


def test_a_text_seen_before_is_judged_by_the_words_there_are_now() -> None:
    judge = Judge("casino")
    assert judge("a bet") is None
    assert judge("a bet") is None
    judge.words.value = WordList(read_words("bet"))
    assert judge("a bet") == "blocked word 'bet'"
    assert judge("casino") is None


def test_a_text_that_is_clean_for_one_is_judged_again_for_another() -> None:
    judge = Judge("bet; country=SG\nloan; purpose=promotion")
    assert judge("a bet") is None
    assert judge("a bet", "SG") == "blocked word 'bet'"
    assert judge("a loan", purpose=Purpose.NOTIFICATION) is None
    assert judge("a loan") == "blocked word 'loan'"


def test_memory_of_texts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_KEPT", 10)
    judge = Judge("casino")
    for n in range(100):
        assert judge(f"text {n}") is None
        assert len(judge.guard._clean) <= 10
    assert judge("casino") is not None


def test_the_length_of_a_code_is_the_accounts() -> None:
    judge = Judge()
    own = judge.policies.value.everybody
    own = Policy(own.modes, {**own.values, RiskRule.VARIABLES: "9"})
    judge.policies.value = Policies(judge.policies.value.everybody, {"acc-1": own})
    assert judge.guard.values("acc-1", Purpose.VERIFICATION, ["123456789"], []) is None
    assert judge.guard.values("acc-2", Purpose.VERIFICATION, ["123456789"], []) is not None
    assert judge.guard.values("acc-2", Purpose.NOTIFICATION, ["any thing"], []) is None


async def test_the_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("casino\n")
    words = Live(WordList())
    file = WordFile(str(path), words)
    await file.load()
    first = words.value
    await file.look()
    assert words.value is first
    rewritten(path, "casino\nbet\n")
    await file.look()
    assert [word.text for word in words.value.words] == ["casino", "bet"]


async def test_a_file_that_has_become_unusable_leaves_the_words_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("casino\n")
    words = Live(WordList())
    file = WordFile(str(path), words)
    await file.load()
    rewritten(path, "bet; colour=red\n")
    await file.look()
    path.unlink()
    await file.look()
    assert [word.text for word in words.value.words] == ["casino"]
    rewritten(path, "bet\n")
    await file.look()
    assert [word.text for word in words.value.words] == ["bet"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"bet; colour=red"])
def test_words_that_cannot_be_read_are_told_of_with_their_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Invalid, match=r"words\.txt cannot be used"):
        load_words(str(path))


async def test_without_a_file_no_word_is_blocked(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.pipeline.risk.word_file.look()
        assert rig.pipeline.risk.texts.text("acc-1", Purpose.PROMOTION, "casino", ["CN"], []) is None


def rewritten(path: Path, content: str) -> None:
    """Write a file whose time is another one than before, however coarse the clock of the disk is."""
    path.write_text(content)
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 2_000_000_000))
