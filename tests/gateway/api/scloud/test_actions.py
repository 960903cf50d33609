"""The table of actions."""

from gateway.api.scloud.actions import ACTIONS


def test_what_sends_changes_something_and_what_asks_does_not() -> None:
    assert {name for name, action in ACTIONS.items() if action.changes} == {
        "SendUSMSMessage",
        "SendBatchUSMSMessage",
    }


def test_what_is_required_is_known() -> None:
    for action in ACTIONS.values():
        schema = action.schema
        assert set(schema.required) <= {*schema.texts, *schema.lists}
        assert not set(schema.texts) & set(schema.lists)
        assert not any("." in name for name in (*schema.texts, *schema.lists))
