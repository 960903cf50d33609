"""SendUSMSMessage through the front door: what is accepted, what is refused and stores nothing."""

from typing import Any

import pytest

from gateway.domain.message import Purpose
from tests.support.scloud import CODE, ENCODINGS, NOTICE, PLAIN, SIGNATURES, account, desk, directory, project

SEND = "SendUSMSMessage"
GOOD: dict[str, Any] = {
    "PhoneNumbers": ["(60)123456789"],
    "TemplateId": NOTICE,
    "TemplateParams": ["42", "5 min & more"],
}


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_call_is_accepted_in_every_encoding(encoding: str) -> None:
    async with desk() as door:
        answer = await door.call(SEND, encoding, **GOOD, SigContent="Acme", UserId="order-42")
        (request,) = door.accept.requests
        assert answer == {
            "RetCode": 0,
            "Action": "SendUSMSMessageResponse",
            "Message": "Send success",
            "SessionNo": answer["SessionNo"],
            "UserId": "order-42",
        }
        assert (request.account_id, request.project_id, request.user_id) == (
            "acc-1",
            "org-demo01",
            "order-42",
        )
        (draft,) = request.drafts
        assert (draft.template_id, draft.purpose) == (NOTICE, Purpose.NOTIFICATION)
        assert draft.text == "【Acme】Order 42 ships in 5 min & more."
        (recipient,) = draft.recipients
        assert (recipient.phone, recipient.given, recipient.country) == ("60123456789", "(60)123456789", "MY")


async def test_every_written_form_of_a_number_and_repetitions_collapse() -> None:
    async with desk() as door:
        given = ["18500000123", "(86)18500000123", "(0086)18500000123", "+8618500000123", "(0060)123456789"]
        assert (await door.call(SEND, **GOOD | {"PhoneNumbers": given}))["RetCode"] == 0
        assert door.accept.phones == ["8618500000123", "60123456789"]
        assert [one.given for one in door.accept.requests[0].drafts[0].recipients] == [given[0], given[4]]


async def test_a_thousand_numbers_go_and_one_more_does_not() -> None:
    numbers = [f"1850{index:07d}" for index in range(1001)]
    async with desk() as door:
        refused = await door.call(SEND, **GOOD | {"PhoneNumbers": numbers})
        assert refused["RetCode"] == 18019
        assert refused["Action"] == "SendUSMSMessageResponse"
        for encoding in ENCODINGS:
            call = GOOD | {"PhoneNumbers": numbers[:1000], "UserId": encoding}
            assert (await door.call(SEND, encoding, **call))["RetCode"] == 0
        assert len(door.accept.phones) == 4000


@pytest.mark.parametrize("given", ["Acme", "【Acme】", "[Acme]", "SIG20250101CCCCCC"])
async def test_a_signature_may_be_text_bracketed_text_or_id(given: str) -> None:
    async with desk() as door:
        assert (await door.call(SEND, **GOOD, SigContent=given))["RetCode"] == 0
        assert door.accept.texts == ["【Acme】Order 42 ships in 5 min & more."]


@pytest.mark.parametrize("without", [{}, {"SigContent": ""}])
async def test_without_a_signature_the_first_approved_one_is_taken(without: dict[str, str]) -> None:
    async with desk() as door:
        assert (await door.call(SEND, **GOOD, **without))["RetCode"] == 0
        assert door.accept.texts == ["【优刻得 Test】Order 42 ships in 5 min & more."]


async def test_a_project_without_an_approved_signature_may_only_send_abroad() -> None:
    bare = account(project(signatures=SIGNATURES[:1]))
    async with desk(directory(bare)) as door:
        abroad = await door.call(SEND, **GOOD)
        mixed = await door.call(SEND, **GOOD | {"PhoneNumbers": ["(60)123456789", "18500000123"]})
        assert (abroad["RetCode"], mixed["RetCode"]) == (0, 18016)
        assert door.accept.texts == ["Order 42 ships in 5 min & more."]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"PhoneNumbers": []}, 18001),
        ({"TemplateId": ""}, 18001),
        ({"PhoneNumbers.7": "18500000123"}, 18002),
        ({"Unknown.0": "x"}, 18002),
        ({"UserId": "it's"}, 18003),
        ({"UserId": "x" * 33}, 18003),
        ({"UserId": "😀"}, 18003),
        ({"UserId": "a\nb"}, 18003),
        ({"ExtendCode": "12a"}, 18003),
        ({"PhoneNumbers": ["18500000123", "1234", "(999)1234567"]}, 18014),
        ({"PhoneNumbers": list("18500000123")}, 18014),
        ({"PhoneNumbers": [""]}, 18014),
        ({"PhoneNumbers": ["1850000012３"]}, 18014),
        ({"PhoneNumbers": [" " * 60 + "18500000123"]}, 18014),
        ({"TemplateId": "UTN-UNKNOWN"}, 18017),
        ({"TemplateId": "UTN-PENDING"}, 18017),
        ({"SigContent": "Nobody"}, 18016),
        ({"SigContent": "Rejected"}, 18016),
        ({"SigContent": "SIG20250101AAAAAA"}, 18016),
        ({"TemplateParams": ["1"]}, 18018),
        ({"TemplateParams": []}, 18018),
        ({"TemplateId": PLAIN}, 18018),
        ({"TemplateId": CODE, "TemplateParams": ["12345678"]}, 18033),
        ({"TemplateId": CODE, "TemplateParams": ["5 min"]}, 18033),
        ({"TemplateParams": ["1", "\x07"]}, 18033),
        ({"TemplateParams": ["1", "x" * 500]}, 18033),
    ],
)
async def test_what_is_wrong_is_refused_and_stores_nothing(changes: dict[str, Any], code: int) -> None:
    async with desk() as door:
        for encoding in ENCODINGS:
            answer = await door.call(SEND, encoding, **GOOD | changes)
            assert answer["RetCode"] == code, answer
            assert "SessionNo" not in answer
        assert door.accept.requests == []


@pytest.mark.parametrize(
    ("wrong", "first"),
    [
        # each line drops its first fault; what is left is found next
        ({"Unknown.0": "x", "PhoneNumbers": ["1"] * 1001, "TemplateId": "U", "SigContent": "N"}, 18002),
        ({"PhoneNumbers": ["1"] * 1001, "TemplateId": "U", "SigContent": "N"}, 18019),
        ({"PhoneNumbers": ["1"], "TemplateId": "U", "SigContent": "N"}, 18014),
        ({"TemplateId": "U", "SigContent": "N", "TemplateParams": []}, 18017),
        ({"SigContent": "N", "TemplateParams": []}, 18016),
        ({"TemplateParams": []}, 18018),
    ],
)
async def test_faults_are_found_in_the_documented_order(wrong: dict[str, Any], first: int) -> None:
    async with desk() as door:
        assert (await door.call(SEND, **GOOD | wrong))["RetCode"] == first


async def test_bad_numbers_are_named_but_not_without_end() -> None:
    async with desk() as door:
        answer = await door.call(SEND, **GOOD | {"PhoneNumbers": ["18500000123", "(60)1", "x" * 900]})
        assert "(60)1, " + "x" * 40 in answer["Message"]
        assert "18500000123" not in answer["Message"]
        many = await door.call(SEND, **GOOD | {"PhoneNumbers": ["1"] * 500})
        assert many["Message"].endswith("and 490 more")


async def test_a_user_id_may_hold_letters_of_any_script_and_plain_marks() -> None:
    async with desk() as door:
        user_id = "订单-42_a.b:c/d@e#f g"
        assert (await door.call(SEND, **GOOD, UserId=user_id))["UserId"] == user_id
        assert "UserId" not in await door.call(SEND, **GOOD, UserId="")
