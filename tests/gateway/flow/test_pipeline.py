"""One message's whole way through a real store, with a channel that does what the story says."""

from pathlib import Path

from gateway.domain.message import Reason, State
from gateway.ids import submission_id
from gateway.store import tables
from tests.support.flow import BALANCE, PRICE, flow, states


async def test_a_message_is_stored_claimed_sent_charged_delivered_and_reported(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        accepted = await rig.accept()
        assert await states(rig) == [(State.SENDING, Reason.CLAIMED_AT_ACCEPT)]
        assert await rig.balance() == (BALANCE - PRICE, PRICE, 0)

        (carrier_id,) = rig.channel().accept()
        assert await states(rig) == [(State.SUBMITTED, Reason.SUBMITTED)]
        assert await rig.balance() == (BALANCE - PRICE, 0, PRICE)

        assert await rig.channel().receipt(carrier_id, source="60120000001")
        (row,) = await rig.rows()
        assert (row["state"], row["reason"], row["receipt_code"]) == (
            State.DELIVERED,
            Reason.RECEIPT,
            "DELIVRD",
        )
        (segment,) = await rig.rows(tables.segments)
        assert (segment["carrier_id"], segment["receipt_state"]) == (carrier_id, "delivered")
        (report,) = await rig.rows(tables.outbox)
        assert accepted.session_no in report["payload"]
        assert report["id"] == row["id"] == (submission_id(accepted.session_no) or 0) + 1
