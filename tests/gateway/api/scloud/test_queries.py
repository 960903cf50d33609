"""GetUSMSSendReceipt and GetProjectList."""

from gateway.domain.message import Message, Purpose, Reason, State, Submission
from tests.support.scloud import ENCODINGS, PROJECT, account, desk, directory, signed

RECEIPT = "GetUSMSSendReceipt"
SESSION = "018bcfe5-6800-7000-8000-000000000001"
OTHER = "018bcfe5-6800-7000-8000-000000000002"


def message(number: int, state: State, code: str | None, *, user_id: str | None = None) -> Message:
    submission = Submission(1, SESSION, "acc-1", PROJECT, Purpose.NOTIFICATION, "UTN1", "order-42", "text", 0)
    return Message(
        number, submission, Purpose.NOTIFICATION, f"6012345678{number}", f"(60)12345678{number}", user_id,
        None, None, "MY", 2, 100, 0, 0, state=state, reason=Reason.RECEIPT, final_at=1_700_000_000_999,
        sent_segments=2, receipt_code=code,
    )  # fmt: skip


async def test_final_messages_are_told_session_by_session() -> None:
    async with desk() as door:
        door.receipts.sessions = {
            SESSION: [
                message(1, State.DELIVERED, "DELIVRD"),
                message(2, State.UNDELIVERED, "MK:0001", user_id="own"),
            ],
            OTHER: [],
        }
        for encoding in ENCODINGS:
            answer = await door.call(RECEIPT, encoding, SessionNoSet=[SESSION, "unknown", OTHER, SESSION])
            assert answer == {
                "RetCode": 0,
                "Action": "GetUSMSSendReceiptResponse",
                "Message": "Action success",
                "Data": [
                    {
                        "SessionNo": SESSION,
                        "ReceiptSet": [
                            {
                                "Phone": "(60)123456781",
                                "CostCount": 2,
                                "ReceiptTime": 1_700_000_000,
                                "ReceiptResult": "Success",
                                "ReceiptCode": "DELIVRD",
                                "ReceiptDesc": "delivered to the handset",
                                "UserId": "order-42",
                            },
                            {
                                "Phone": "(60)123456782",
                                "CostCount": 2,
                                "ReceiptTime": 1_700_000_000,
                                "ReceiptResult": "Fail",
                                "ReceiptCode": "MK:0001",
                                "ReceiptDesc": "the carrier could not deliver it",
                                "UserId": "own",
                            },
                        ],
                    },
                    {"SessionNo": OTHER, "ReceiptSet": []},
                ],
            }
        assert door.receipts.asked[0] == ("acc-1", [SESSION, "unknown", OTHER])


async def test_the_same_question_is_asked_anew() -> None:
    async with desk() as door:
        assert (await door.call(RECEIPT, SessionNoSet=[SESSION]))["Data"] == []
        door.receipts.sessions = {SESSION: []}
        assert len((await door.call(RECEIPT, SessionNoSet=[SESSION]))["Data"]) == 1


async def test_receipts_speak_the_accounts_language() -> None:
    async with desk(directory(account(language="zh"))) as door:
        door.receipts.sessions = {SESSION: [message(1, State.DELIVERED, "DELIVRD")]}
        answer = await door.call(RECEIPT, SessionNoSet=[SESSION])
        assert answer["Data"][0]["ReceiptSet"][0]["ReceiptResult"] == "发送成功"


async def test_a_hundred_sessions_and_no_project_needed() -> None:
    async with desk() as door:
        sessions = [f"s{number}" for number in range(101)]
        assert (await door.send(signed({"Action": RECEIPT, "SessionNoSet": sessions[:100]})))["RetCode"] == 0
        assert (await door.send(signed({"Action": RECEIPT, "SessionNoSet": sessions})))["RetCode"] == 18003
        assert (await door.send(signed({"Action": RECEIPT})))["RetCode"] == 18001


async def test_the_projects_of_an_account_are_listed() -> None:
    async with desk() as door:
        answer = await door.send(signed({"Action": "GetProjectList", "IsFinance": "No"}))
        assert answer == {
            "RetCode": 0,
            "Action": "GetProjectListResponse",
            "Message": "",
            "ProjectCount": 1,
            "ProjectSet": [
                {
                    "ProjectId": PROJECT,
                    "ProjectName": "Demo",
                    "CreateTime": 1_700_000_000,
                    "IsDefault": True,
                    "ResourceCount": 7,
                    "MemberCount": 1,
                }
            ],
        }
