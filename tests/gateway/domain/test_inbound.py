"""What the customer is told of a handset's message."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.inbound import Completion, Flag, order_key, reply_item, words
from tests.support.messages import NOON_MS
from tests.support.rows import mo_message


def test_a_reply_says_what_the_api_wants_and_leaves_out_what_is_not_known() -> None:
    assert reply_item(mo_message(1)) == {
        "Phone": "(60)123456789",
        "ReplyContent": "hello",
        "ReplyTime": NOON_MS // 1000,
    }
    whole = reply_item(mo_message(1, extend_code="88", user_id="order-42"))
    assert (whole["ExtendCode"], whole["UserId"]) == ("88", "order-42")


def test_only_what_is_incomplete_names_missing_parts() -> None:
    item = reply_item(mo_message(1, total=4, missing="2,3", completion=Completion.TIMED_OUT))
    assert item["MissingParts"] == [2, 3]


def test_data_goes_in_hexadecimal_and_a_handset_nobody_wrote_to_as_it_is() -> None:
    item = reply_item(mo_message(1, text=None, data_hex="00ff", phone_given=None))
    assert (item["ReplyContent"], item["Phone"]) == ("00ff", "60123456789")


def test_only_given_up_messages_are_incomplete() -> None:
    assert [one.name for one in Completion if one.incomplete] == ["TIMED_OUT", "MEMORY_FULL"]


def test_flags_are_told_as_words() -> None:
    assert words(Flag.CONFLICT | Flag.REMAINDER) == ["conflict", "remainder"]
    assert words(Flag(0)) == []


@given(st.text(), st.text())
def test_a_handset_is_no_message_and_fits_the_column(one: str, other: str) -> None:
    assert -(1 << 62) - 1 <= order_key(one) < 0
    assert (order_key(one) == order_key(other)) == (one == other)
