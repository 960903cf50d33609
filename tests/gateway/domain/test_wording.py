"""Words that hide: in other case and width, between marks and blanks, behind invisible characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.wording import MAX_GAP, WordFinder, letters, plain

FINDER = WordFinder(["casino", "Online Betting", "赌博", "porn*", "1元购"])


@pytest.mark.parametrize(
    "text",
    [
        "casino",
        "Our CASINO opens",
        "ｃａｓｉｎｏ",
        "Ｃ-a_s.i n o",
        "c a s i n o",
        "ca\u200bsi\u00adno",
        "(casino)",
        "online   betting",
        "Online-Betting!",
        "ONLINE*BETTING",
        "pornography",
        "Porn",
        "赌博",
        "网上赌博网",
        "赌 博",
        "赌*博",
        "赌.|.博",
        "赌{1}博",
        "賭、赌，博",
        "1元购",
        "１元购",
        "𝐜𝐚𝐬𝐢𝐧𝐨",
    ],
)
def test_a_hidden_word_is_found(text: str) -> None:
    assert FINDER.find(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "casinos",
        "occasinoal",
        "cas ino's friend",
        "online and betting",
        "赌 上 博",
        "spornp",
        "1 kg 元",
        "123",
    ],
)
def test_other_words_are_not(text: str) -> None:
    assert not WordFinder(["occasino", "casinos x", "online betting", "赌博", "porn*"]).find(text)


def test_a_word_is_not_found_across_a_longer_gap() -> None:
    assert FINDER.find("c" + "." * MAX_GAP + "asino")
    assert not FINDER.find("c" + "." * (MAX_GAP + 1) + "asino")


def test_what_was_found_is_told_as_it_stands() -> None:
    assert FINDER.find("now C-A-S-I-N-O now") == "c-a-s-i-n-o"
    assert FINDER.find("去 赌~博 吧") == "赌博"


def test_patterns_see_the_plain_text() -> None:
    finder = WordFinder([], [r"(?<![\d.])1元购"])
    assert finder.find("１元购")
    assert not finder.find("11元购买")


@pytest.mark.parametrize(
    "text",
    ["Sale. Reply R to refuse", "Sale. reply r TO refuse.", "大促 拒收请回复R", "大促，拒收请回复Ｒ。"],
)
def test_an_ending_is_seen_whatever_marks_follow(text: str) -> None:
    assert WordFinder(["reply R to refuse", "拒收请回复R"]).ends(text)


@pytest.mark.parametrize("text", ["", "Reply R to refuse, or not", "拒收请回复R就行", "reply"])
def test_an_ending_is_the_end(text: str) -> None:
    assert not WordFinder(["reply R to refuse", "拒收请回复R"]).ends(text)


def test_no_words_find_nothing() -> None:
    assert not WordFinder([]).find("anything")
    assert not WordFinder([]).ends("anything")


@given(
    st.sampled_from(["casino", "赌博"]),
    st.lists(st.sampled_from(["", " ", "-", "*", "\u200b", "。", "{1}", "_"]), min_size=6, max_size=6),
    st.booleans(),
)
def test_however_it_is_spread_it_is_found(word: str, gaps: list[str], upper: bool) -> None:
    spread = "".join(letter + gap for letter, gap in zip(word, gaps, strict=False))
    assert FINDER.find(f"see {spread.upper() if upper else spread} here")


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    FINDER.find(text)
    FINDER.ends(text)
    assert letters(plain(text)).replace(" ", "") == letters(plain(text))
