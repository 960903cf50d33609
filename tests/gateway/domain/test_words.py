"""Blocked words, however they are written."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import Purpose
from gateway.domain.words import BadWords, Word, WordList, normalised, read_words


def words(*lines: str) -> WordList:
    return WordList(read_words("\n".join(lines))).ready()


def find(list_: WordList, text: str, purpose: Purpose = Purpose.PROMOTION, country: str = "CN") -> str | None:
    return list_.find(text, purpose, [country])


@pytest.mark.parametrize(
    "text",
    [
        "Casino tonight",
        "CASINO!",
        "the ｃａｓｉｎｏ",
        "ca\u200bsi\u00adno",
        "ca\u3164si\u115fno",
        "ca\U000e0100si\U000e0041no",
        "CASİNO",
        "𝐂𝐚𝐬𝐢𝐧𝐨",
        "win(casino)",
        "赌场casino开业",
    ],
)
def test_a_word_is_found_however_it_is_written(text: str) -> None:
    assert find(words("casino"), text) == "casino"


@pytest.mark.parametrize("text", ["İddaa", "iddaa", "IDDAA"])
def test_a_turkish_capital_is_the_letter_it_is_the_capital_of(text: str) -> None:
    assert find(words("İddaa"), text) == "iddaa"


@pytest.mark.parametrize("text", ["casinos", "occasino", "cas ino", "", "casin"])
def test_a_part_of_a_longer_word_is_another_word(text: str) -> None:
    assert find(words("casino"), text) is None


def test_scripts_without_spaces_have_no_bounds() -> None:
    assert find(words("发票"), "代开发票请联系") == "发票"


def test_a_number_is_found_only_whole() -> None:
    assert find(words("10086"), "call 10086 now") == "10086"
    assert find(words("10086"), "call 100861") is None
    assert find(words("10086"), "电话10086元") == "10086"


def test_a_word_inside_another_that_does_not_count_is_still_found() -> None:
    assert find(words("a big win; country=SG", "big"), "a big win") == "big"


def test_conditions_limit_where_a_word_counts() -> None:
    list_ = words("loan; purpose=promotion,notification; country=cn, MY", "bet")
    assert find(list_, "a loan") == "loan"
    assert find(list_, "a loan", country="SG") is None
    assert find(list_, "a loan", Purpose.VERIFICATION) is None
    assert list_.find("a loan", Purpose.PROMOTION, ["SG", "MY"]) == "loan"
    assert find(list_, "a bet", Purpose.VERIFICATION, "SG") == "bet"
    assert (list_.by_country, words("bet").by_country) == (True, False)


def test_remarks_blank_lines_and_repetitions_are_passed_over() -> None:
    assert read_words("\ufeff# all of them\n\n bet # a remark\nBET\n") == [Word("bet")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("bet; colour=red", "'colour=red' is no condition"),
        ("bet; purpose=otp", "a purpose is one of verification, notification, promotion"),
        ("bet; country=China", "ISO 3166"),
        ("bet; country=CN; country=MY", "each once"),
        ("; purpose=promotion", "1 to 100 characters"),
        ("\u200b", "1 to 100 characters"),
        ("x" * 101, "1 to 100 characters"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(line: str, told: str) -> None:
    with pytest.raises(BadWords, match=f"line 2: .*{told}"):
        read_words(f"bet\n{line}")


def test_no_words_block_nothing() -> None:
    assert find(WordList().ready(), "anything") is None


alphabet = st.text("ab发é ١", max_size=12)


@given(st.lists(st.text("ab发", min_size=1, max_size=3), min_size=1, max_size=5), alphabet)
def test_it_finds_what_looking_for_each_word_finds(patterns: list[str], text: str) -> None:
    def stands_alone(pattern: str) -> bool:
        for start in range(len(plain) - len(pattern) + 1):
            end = start + len(pattern)
            latin = [place and place < len(plain) and all(c in "abé" for c in plain[place - 1 : place + 1])
                     for place in (start, end)]  # fmt: skip
            if plain[start:end] == pattern and not any(latin):
                return True
        return False

    plain = normalised(text)
    found = find(words(*patterns), text)
    assert (found is not None) == any(stands_alone(normalised(pattern)) for pattern in patterns)


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_ten_thousand_words_are_looked_for_at_once() -> None:
    chance = random.Random(1)
    many = ["".join(chr(chance.randrange(0x4E00, 0x9000)) for _ in range(4)) for _ in range(10_000)]
    assert find(words(*many), f"您好，{many[4_321]}，再见") == many[4_321]
