"""RetCodes and their words."""

from gateway.api.scloud.codes import MESSAGES, Refusal, RetCode


def test_every_refusal_has_words() -> None:
    assert set(MESSAGES) == set(RetCode) - {RetCode.OK}
    assert all(MESSAGES.values())


def test_details_follow_the_words() -> None:
    assert Refusal(RetCode.USER_UNKNOWN).message == "User Not Exists"
    assert Refusal(RetCode.PARAMETER_MISSING, "Phone").message == "Parameter missing: Phone"
