"""What a customer is told about a final message: the words of the SCloud API, in the account's language."""

from typing import Any

from gateway.domain.message import Message, Reason, State

_RESULTS = {
    "en": {"ok": "Success", "fail": "Fail", "unknown": "Unknow"},  # sic: the published spelling
    "zh": {"ok": "发送成功", "fail": "发送失败", "unknown": "状态未知"},
}

LANGUAGES = tuple(_RESULTS)

_DESCRIPTIONS: dict[str, dict[State | Reason, str]] = {
    "en": {
        State.DELIVERED: "delivered to the handset",
        State.UNDELIVERED: "the carrier could not deliver it",
        State.EXPIRED: "not delivered within its validity",
        State.REJECTED: "rejected by the carrier",
        State.UNKNOWN: "the carrier reported no final state",
        State.FAILED: "not submitted",
        State.CANCELLED: "cancelled before submission",
        Reason.NO_ROUTE: "no route to this destination",
        Reason.NO_PRICE: "no price for this destination",
        Reason.VALIDITY_OVER: "not submitted within its validity",
        Reason.REFUSED_BY_CARRIER: "refused by the carrier",
        Reason.ATTEMPTS_USED_UP: "the carrier refused it temporarily too often",
        Reason.RECEIPT_DEADLINE: "no receipt came in time",
        Reason.NO_RECEIPTS_ASKED: "submitted; this route gives no receipts",
        Reason.IN_DOUBT_GIVEN_UP: "sent, but the carrier never confirmed it",
        Reason.PARTLY_SUBMITTED: "the carrier took only a part of it",
        Reason.UNENCODABLE: "the text cannot be sent on this route",
        Reason.RATE_LIMITED: "send restricted: too many messages to this number",
        Reason.BLACKLISTED: "phone in the black list",
        Reason.OPTED_OUT: "the recipient has opted out",
        Reason.OUTSIDE_HOURS: "send restricted: outside the hours for promotion",
    },
    "zh": {
        State.DELIVERED: "已送达",
        State.UNDELIVERED: "运营商未能送达",
        State.EXPIRED: "超过有效期未送达",
        State.REJECTED: "被运营商拒绝",
        State.UNKNOWN: "运营商未返回最终状态",
        State.FAILED: "未提交",
        State.CANCELLED: "提交前已取消",
        Reason.NO_ROUTE: "没有可用通道",
        Reason.NO_PRICE: "该地区没有价格",
        Reason.VALIDITY_OVER: "有效期内未能提交",
        Reason.REFUSED_BY_CARRIER: "运营商拒绝提交",
        Reason.ATTEMPTS_USED_UP: "多次提交失败",
        Reason.RECEIPT_DEADLINE: "未按时收到回执",
        Reason.NO_RECEIPTS_ASKED: "已提交，该通道不提供回执",
        Reason.IN_DOUBT_GIVEN_UP: "已发送，运营商未确认",
        Reason.PARTLY_SUBMITTED: "运营商只接收了部分内容",
        Reason.UNENCODABLE: "该通道无法发送此内容",
        Reason.RATE_LIMITED: "发送受限：该号码发送过于频繁",
        Reason.BLACKLISTED: "号码在黑名单中",
        Reason.OPTED_OUT: "用户已退订",
        Reason.OUTSIDE_HOURS: "发送受限：不在营销短信发送时段",
    },
}


def receipt_result(state: State, language: str) -> str:
    """Return `ReceiptResult` for a final state."""
    words = _RESULTS.get(language, _RESULTS["en"])
    if state is State.DELIVERED:
        return words["ok"]
    return words["unknown"] if state is State.UNKNOWN else words["fail"]


def receipt_description(state: State, reason: Reason, language: str) -> str:
    """Return `ReceiptDesc`: the reason where it says more than the state."""
    words = _DESCRIPTIONS.get(language, _DESCRIPTIONS["en"])
    return words.get(reason) or words[state]


def receipt_code(state: State, reason: Reason, carrier_code: str | None) -> str:
    """Return `ReceiptCode`: the carrier's own word if it gave one, else ours."""
    if carrier_code:
        return carrier_code
    if state is State.DELIVERED:
        return "DELIVRD"
    return "NULL" if state is State.UNKNOWN else reason.name


def status_item(message: Message, language: str) -> dict[str, Any]:
    """Return one entry of a status callback's `Data` (and of `ReceiptSet`, which lacks `SessionNo`)."""
    state, reason = message.state, message.reason
    item: dict[str, Any] = {
        "SessionNo": message.submission.session_no,
        "Phone": message.phone_given,
        "CostCount": message.sent_segments,
        "ReceiptTime": (message.final_at or 0) // 1000,
        "ReceiptResult": receipt_result(state, language),
        "ReceiptCode": receipt_code(state, reason, message.receipt_code),
        "ReceiptDesc": receipt_description(state, reason, language),
    }
    user_id = message.user_id or message.submission.user_id
    if user_id:
        item["UserId"] = user_id
    return item
