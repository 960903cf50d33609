"""The carrier's normal behaviour is a function of its options and its seed."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.results import ReceiptState
from carriers.simulator.behaviour import Delay, IdMint, MessageIdForm, OutcomeMix, ReceiptIdForm


def drawn(text: str, times: int, seed: int = 1) -> Counter[str]:
    mix, random = OutcomeMix.parse(text), Random(seed)
    outcomes = [mix.draw(random) for _ in range(times)]
    return Counter(outcome.stat if outcome else "none" for outcome in outcomes)


def test_one_word_is_every_message() -> None:
    assert drawn("undelivered", 50) == {"UNDELIV": 50}
    assert drawn("none", 50) == {"none": 50}


def test_shares_come_out_about_as_asked() -> None:
    counts = drawn("delivered=0.9,undelivered=0.06,none=0.04", 10_000)
    assert counts["DELIVRD"] == pytest.approx(9_000, abs=150)
    assert counts["UNDELIV"] == pytest.approx(600, abs=100)
    assert counts["none"] == pytest.approx(400, abs=100)


def test_one_word_without_share_takes_the_rest() -> None:
    assert set(drawn("delivered, expired=0.5", 200)) == {"DELIVRD", "EXPIRED"}
    assert drawn("delivered=0,expired", 20) == {"EXPIRED": 20}


def test_the_same_seed_draws_the_same() -> None:
    text = "delivered=0.5,unknown=0.5"
    assert drawn(text, 100, seed=7) == drawn(text, 100, seed=7)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is no outcome"),
        ("deliverd=1", "'deliverd' is no outcome"),
        ("delivered=0.5", "add up to 0.5"),
        ("delivered=0.9,expired=0.2", "add up to 1.1"),
        ("delivered=0.9,expired=0.2,unknown", "add up to 1.1"),
        ("delivered=1.5", "from 0 to 1"),
        ("delivered=most", "from 0 to 1"),
        ("delivered=nan", "from 0 to 1"),
        ("delivered,expired", "only one can take the rest"),
        ("delivered=0.5,delivered=0.5", "given twice"),
    ],
)
def test_a_wrong_mix_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        OutcomeMix.parse(text)


def test_the_words_are_the_receipt_states() -> None:
    for state in ReceiptState:
        if state is not ReceiptState.SCHEDULED:  # v5 only; no v3.4 carrier sends it
            assert OutcomeMix.parse(state.value).outcomes[0].state is state  # type: ignore[union-attr]


def test_delays_keep_their_bounds() -> None:
    random = Random(1)
    assert Delay.parse("2").draw(random) == 2
    assert all(0.5 <= Delay.parse("0.5-3").draw(random) <= 3 for _ in range(100))
    spread = [Delay.parse("exp:1.5").draw(random) for _ in range(5_000)]
    assert sum(spread) / len(spread) == pytest.approx(1.5, rel=0.1)
    assert Delay.parse("0").none
    assert not Delay.parse("exp:0.1").none


@pytest.mark.parametrize("text", ["", "soon", "3-1", "-1", "exp:", "exp:-1", "inf", "nan", "1-nan"])
def test_a_wrong_delay_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="delay"):
        Delay.parse(text)


@given(start=st.integers(1, 2**60 - 101), form=st.sampled_from(MessageIdForm))
def test_ids_are_never_given_twice_and_fit_the_field(start: int, form: MessageIdForm) -> None:
    mint = IdMint(start, form)
    ids = [mint.mint() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(len(made) <= 64 and made.isascii() and " " not in made for made in ids)


def test_the_receipt_may_write_the_id_its_own_way() -> None:
    mint = IdMint(0xE999F21, MessageIdForm.HEX, ReceiptIdForm.DECIMAL)
    assert mint.in_receipt(mint.mint()) == str(0xE999F21)
    mint = IdMint(255, MessageIdForm.DECIMAL, ReceiptIdForm.HEX)
    assert mint.in_receipt(mint.mint()) == "FF"
    assert IdMint(1, MessageIdForm.DECIMAL, ReceiptIdForm.HEX).in_receipt("older-form") == "older-form"
    with pytest.raises(ValueError, match="UUID"):
        IdMint(1, MessageIdForm.UUID, ReceiptIdForm.HEX)
