"""The table of actions."""

from gateway.api.scloud.actions import ACTIONS
from gateway.api.scloud.codes import SERVICE_CODES
from tests.actions.areas import DECLARED


def test_what_sends_changes_something_and_what_asks_does_not() -> None:
    assert {name for name, action in ACTIONS.items() if action.changes} == {
        "SendUSMSMessage",
        "SendBatchUSMSMessage",
        "upUSMSCustomerStatus",
        "AddBackfill",
        "CreateUSMSSignature",
        "UpdateUSMSSignature",
        "DeleteUSMSSignature",
        "CreateUSMSTemplate",
        "UpdateUSMSTemplate",
        "DeleteUSMSTemplate",
        "UploadUSMSFile",
        "AddUSMSSignatureQualification",
        "UpdateUSMSSignatureQualification",
        "DeleteUSMSSignatureQualification",
        "BatchCreateUSMSBlacklistPhone",
    }


def test_what_is_required_is_known() -> None:
    for action in ACTIONS.values():
        schema = action.schema
        assert set(schema.required) <= {*schema.texts, *schema.lists}
        assert not set(schema.texts) & set(schema.lists)
        assert not any("." in name for name in (*schema.texts, *schema.lists))


def test_its_own_codes_are_the_services() -> None:
    assert all(code >= SERVICE_CODES for action in ACTIONS.values() for code in action.codes)


def test_no_action_is_left_out_of_the_trials() -> None:
    """tests/actions tries every action alike: each needs its declaration there."""
    assert set(DECLARED) == set(ACTIONS)
