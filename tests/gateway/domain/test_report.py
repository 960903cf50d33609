"""What a customer reads about a message."""

import pytest

from gateway.domain.message import Reason, State
from gateway.domain.report import receipt_code, receipt_description, receipt_result, status_item
from tests.support.messages import NOON_MS, message, submission


def test_a_delivered_message_reads_as_the_contract_says() -> None:
    done = message(
        state=State.DELIVERED, reason=Reason.RECEIPT, final_at=NOON_MS + 1_999, sent_segments=2,
        receipt_code="DELIVRD", submission=submission(user_id="order-42"),
    )  # fmt: skip
    assert status_item(done, "en") == {
        "SessionNo": done.submission.session_no,
        "Phone": "(60)123000001",
        "CostCount": 2,
        "ReceiptTime": NOON_MS // 1000 + 1,
        "ReceiptResult": "Success",
        "ReceiptCode": "DELIVRD",
        "ReceiptDesc": "delivered to the handset",
        "UserId": "order-42",
    }


def test_a_recipients_own_user_id_wins_and_none_is_left_out() -> None:
    own = message(
        state=State.FAILED, reason=Reason.NO_ROUTE, user_id="mine", submission=submission(user_id="all")
    )
    assert status_item(own, "en")["UserId"] == "mine"
    assert "UserId" not in status_item(message(state=State.FAILED, reason=Reason.NO_ROUTE), "en")


@pytest.mark.parametrize(
    ("state", "english", "chinese"),
    [
        (State.DELIVERED, "Success", "发送成功"),
        (State.UNKNOWN, "Unknow", "状态未知"),
        (State.UNDELIVERED, "Fail", "发送失败"),
        (State.FAILED, "Fail", "发送失败"),
    ],
)
def test_results_are_spelt_as_clients_expect_them(state: State, english: str, chinese: str) -> None:
    assert receipt_result(state, "en") == english
    assert receipt_result(state, "zh") == chinese
    assert receipt_result(state, "xx") == english


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", [state for state in State if state.final])
@pytest.mark.parametrize("reason", list(Reason))
def test_every_final_state_has_a_description(state: State, reason: Reason, language: str) -> None:
    assert receipt_description(state, reason, language)


def test_the_carriers_word_is_the_code_and_ours_stands_in_for_none() -> None:
    assert receipt_code(State.UNDELIVERED, Reason.RECEIPT, "MK:0001") == "MK:0001"
    assert receipt_code(State.UNKNOWN, Reason.RECEIPT_DEADLINE, None) == "NULL"
    assert receipt_code(State.FAILED, Reason.NO_ROUTE, None) == "NO_ROUTE"
    assert receipt_code(State.DELIVERED, Reason.RECEIPT, None) == "DELIVRD"
