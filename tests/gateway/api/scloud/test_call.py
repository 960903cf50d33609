"""The bodies of answers: always a RetCode and a Message, the action where the service itself answers."""

import orjson

from gateway.api.scloud.call import refused
from gateway.api.scloud.codes import Refusal, RetCode


def test_the_door_does_not_name_the_action_and_the_service_does() -> None:
    door = refused(Refusal(RetCode.SIGNATURE_WRONG), "SendUSMSMessage")
    service = refused(Refusal(RetCode.TOO_MANY_NUMBERS, "1001, at most 1000"), "SendUSMSMessage")
    unread = refused(Refusal(RetCode.JSON_ERROR), "")
    assert orjson.loads(door.body) == {"RetCode": 171, "Message": "Signature VerifyAC Error"}
    assert orjson.loads(service.body) == {
        "RetCode": 18019,
        "Action": "SendUSMSMessageResponse",
        "Message": "Too many phone numbers: 1001, at most 1000",
    }
    assert orjson.loads(unread.body) == {"RetCode": 18000, "Message": "JSON parse error"}


def test_refusals_are_never_kept() -> None:
    assert not any(refused(Refusal(code), "SendUSMSMessage").stored for code in RetCode if code)
