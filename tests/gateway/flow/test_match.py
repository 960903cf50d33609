"""A receipt finds its message by channel and id, in every form, and by nothing else."""

from pathlib import Path

import pytest

from carriers.results import ReceiptState
from config.schema import ReceiptIdForm
from gateway.domain.message import Reason, State
from tests.support.flow import channel_config, flow, states


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        ("0e999f21", "0E999F21"),
        ("7b", "123"),
        ("123", "7B"),
        ("000123", "123"),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
async def test_t91_forms_that_mean_the_same_id_match(tmp_path: Path, answered: str, told: str) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept()
        rig.channel().answer(rig.channel().unanswered, message_id=answered)
        assert await rig.channel().receipt(told)
        assert await states(rig) == [(State.DELIVERED, Reason.RECEIPT)]


async def test_t91_a_form_that_is_set_is_the_only_one_tried(tmp_path: Path) -> None:
    same = channel_config("alpha", receipt_id_form=ReceiptIdForm.SAME)
    async with flow(tmp_path / "g.db", same) as rig:
        await rig.accept()
        rig.channel().answer(rig.channel().unanswered, message_id="7b")
        assert await rig.channel().receipt("123")
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]


async def test_an_id_that_fits_two_messages_means_the_one_to_that_handset(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await rig.accept(2)
        first, second = rig.channel().unanswered[:]
        rig.channel().answer([first], message_id="10")
        rig.channel().answer([second], message_id="a")  # 10 in decimal
        assert await rig.channel().receipt("10", source=second.destination, state=ReceiptState.UNDELIVERED)
        assert [state for state, _ in await states(rig)] == [State.SUBMITTED, State.UNDELIVERED]


async def test_a_receipt_of_another_channel_is_not_ours(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db", channel_config("alpha"), channel_config("beta")) as rig:
        await rig.accept()
        (id_,) = rig.channel("alpha").accept()
        assert await rig.channel("beta").receipt(id_)
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
