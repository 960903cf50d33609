"""Words to stop and to go on, in the handset's own spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import InboundSettings
from gateway.domain.inbound import Wish
from gateway.domain.keywords import Keywords, plain

SHIPPED = Keywords(InboundSettings().opt_out, InboundSettings().opt_in)


@pytest.mark.parametrize(
    "text",
    ["R", "r", "T", "TD", "td", "N", "STOP", "Stop", " stop\r\n", "ＳＴＯＰ", "UNSUBSCRIBE", "cancel", "退订",
     "　退订 ", "\ufeff退订", "STOP\0", "Arrêt", "ARRÊT", "ARRE\u0302T", "iptal", "İptal",
     "\u2068STOP\u2069", "\u202aSTOP\u202c", "STOP\ufe0f"],
)  # fmt: skip
def test_words_to_stop(text: str) -> None:
    assert SHIPPED.wish(text) is Wish.OPT_OUT


@pytest.mark.parametrize("text", ["START", "start", "unstop", "ｓｔａｒｔ", "恢复"])
def test_words_to_go_on(text: str) -> None:
    assert SHIPPED.wish(text) is Wish.OPT_IN


@pytest.mark.parametrize(
    "text", ["", None, "don't stop", "STOP it", "RR", "退订吗", "TDx", "s t o p", "x" * 10_000]
)
def test_a_word_inside_a_message_is_no_wish(text: str | None) -> None:
    assert SHIPPED.wish(text) is Wish.NONE


def test_words_are_compared_alike_in_every_language() -> None:
    words = Keywords({"tr": ["İPTAL"], "de": ["Straße"]}, {"ru": ["ДА"]})
    assert words.wish("i̇ptal") is Wish.OPT_OUT
    assert (
        words.wish("iptal") is Wish.OPT_OUT
    )  # its own small letters, and how a keyboard without them writes it
    assert words.wish("IPTAL") is Wish.OPT_OUT
    assert words.wish("STRASSE") is Wish.OPT_OUT
    assert words.wish("да") is Wish.OPT_IN


def test_a_word_of_both_wishes_stops() -> None:
    assert Keywords({"en": ["OK"]}, {"en": ["ok"]}).wish("Ok") is Wish.OPT_OUT


def test_without_words_nothing_is_a_wish() -> None:
    assert Keywords({}, {}).wish("STOP") is Wish.NONE


@given(st.text(max_size=200))
def test_what_is_plain_stays_so(text: str) -> None:
    assert plain(plain(text)) == plain(text)
