"""SendBatchUSMSMessage: a text for each number, and what cannot be sent handed back."""

from typing import Any

from tests.support.scloud import (
    CODE,
    ENCODINGS,
    NOTICE,
    PLAIN,
    SIGNATURES,
    account,
    desk,
    directory,
    project,
    task_content,
)

BATCH = "SendBatchUSMSMessage"


def item(*targets: dict[str, Any], template: str = CODE, signature: str = "Acme") -> dict[str, Any]:
    return {"TemplateId": template, "SigContent": signature, "Target": list(targets)}


def target(phone: str = "(60)123456789", *values: str, **more: str) -> dict[str, Any]:
    return {"Phone": phone, "TemplateParams": list(values), **more}


async def test_each_number_gets_its_own_text() -> None:
    items = [
        item(
            target("18500000123", "111111", UserId="a-1", ExtendCode="123"), target("(60)123456789", "222222")
        ),
        item(target("18500000124"), template=PLAIN, signature="【优刻得 Test】"),
    ]
    async with desk() as door:
        for encoding in ENCODINGS:
            answer = await door.call(BATCH, encoding, TaskContent=task_content(items))
            assert answer == {
                "RetCode": 0,
                "Action": "SendBatchUSMSMessageResponse",
                "Message": "submit success",
                "SessionNo": answer["SessionNo"],
                "ReqUuid": answer["ReqUuid"],
                "SuccessCount": 3,
                "FailContent": [],
            }
        request = door.accept.requests[0]
        assert [(draft.text, draft.template_id) for draft in request.drafts] == [
            ("【Acme】Your verification code is 111111.", CODE),
            ("【Acme】Your verification code is 222222.", CODE),
            ("【优刻得 Test】Sale today. Reply R to refuse", PLAIN),
        ]
        recipients = [one for draft in request.drafts for one in draft.recipients]
        assert [(one.phone, one.given, one.user_id) for one in recipients] == [
            ("8618500000123", "18500000123", "a-1"),
            ("60123456789", "(60)123456789", None),
            ("8618500000124", "18500000124", None),
        ]


async def test_the_same_text_is_one_draft_and_the_same_text_to_the_same_number_one_message() -> None:
    items = [item(target("18500000123"), target("18500000124"), target("(86)18500000123"), template=PLAIN)]
    async with desk() as door:
        answer = await door.call(BATCH, TaskContent=task_content(items))
        assert answer["SuccessCount"] == 2
        (draft,) = door.accept.requests[0].drafts
        assert [one.phone for one in draft.recipients] == ["8618500000123", "8618500000124"]


async def test_different_texts_to_one_number_are_all_sent() -> None:
    items = [item(target("18500000123", "1"), target("18500000123", "2"))]
    async with desk() as door:
        assert (await door.call(BATCH, TaskContent=task_content(items)))["SuccessCount"] == 2


async def test_what_cannot_be_sent_is_handed_back_beside_what_was() -> None:
    items = [
        item(
            target("18500000123", "1234"),
            target("12", "1234", UserId="bad-phone"),
            target("18500000124", "12 34"),
            target("18500000125"),
        ),
        item(target("18500000126", "1"), template="UTN-UNKNOWN"),
        item(target("18500000127", "1"), signature="Nobody"),
    ]
    async with desk() as door:
        answer = await door.call(BATCH, TaskContent=task_content(items))
        assert answer["RetCode"] == 18046
        assert answer["SuccessCount"] == 1
        assert len(answer["SessionNo"]) == 36
        by_target, by_template, by_signature = answer["FailContent"]
        assert by_target["FailureDetails"] == ""
        assert [(one["Phone"], bool(one["FailureDetails"])) for one in by_target["Target"]] == [
            ("12", True),
            ("18500000124", True),
            ("18500000125", True),
        ]
        assert by_target["Target"][0]["UserId"] == "bad-phone"
        assert by_target["Target"][1]["TemplateParams"] == ["12 34"]
        for failed in (by_template, by_signature):
            assert failed["FailureDetails"]
            assert [one["FailureDetails"] for one in failed["Target"]] == [""]
        assert door.accept.phones == ["8618500000123"]


async def test_nothing_sent_for_one_reason_has_its_code() -> None:
    async with desk() as door:
        for items, code in (
            ([item(target("12", "1")), item(target("13", "1"))], 18014),
            ([item(target(), template="UTN-UNKNOWN")], 18017),
            ([item(target(), signature="Nobody")], 18016),
            ([item(target())], 18018),
            ([item(target("18500000123", "12345678"))], 18033),
            ([item(target("12", "1")), item(target())], 18046),
        ):
            answer = await door.call(BATCH, TaskContent=task_content(items))
            assert answer["RetCode"] == code
            assert "SessionNo" not in answer
            assert answer["SuccessCount"] == 0
            assert len(answer["FailContent"]) == len(items)
        assert door.accept.requests == []


async def test_domestic_numbers_need_a_signature_item_by_item() -> None:
    bare = account(project(signatures=SIGNATURES[:1]))
    items = [
        item(target("18500000123"), template=PLAIN, signature=""),
        item(target(), template=PLAIN, signature=""),
    ]
    async with desk(directory(bare)) as door:
        answer = await door.call(BATCH, TaskContent=task_content(items))
        assert (answer["RetCode"], answer["SuccessCount"]) == (18046, 1)
        assert door.accept.phones == ["60123456789"]


async def test_two_hundred_targets_go_and_one_more_does_not() -> None:
    targets = [target(f"1850{index:07d}", "1", "2") for index in range(201)]
    async with desk() as door:
        too_many = [item(*targets[:100], template=NOTICE), item(*targets[100:], template=NOTICE)]
        assert (await door.call(BATCH, TaskContent=task_content(too_many)))["RetCode"] == 18019
        answer = await door.call(BATCH, TaskContent=task_content([item(*targets[:200], template=NOTICE)]))
        assert (answer["RetCode"], answer["SuccessCount"]) == (0, 200)
