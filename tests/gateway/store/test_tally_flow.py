"""The whole flow, whatever happens in it, restarts included: its counters are what a recount says."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from carriers.results import Disposition, Fate, ReceiptState
from config.schema import PriceSettings
from gateway.domain.message import Purpose, State
from gateway.flow.accept import Draft, Recipient, Request
from gateway.store import tables
from gateway.store.engine import Store
from tests.support.counters import exact, sums
from tests.support.flow import ACCOUNT, LONG, Rig, SetClock, channel_config, flow
from tests.support.flow import settings as flow_settings
from tests.support.rows import all_rows

OPTIONS = replace(
    flow_settings(max_attempts=2, retry_base=1.0, receipt_deadline=600.0, in_doubt={"verification": "fail"}),
    price=(PriceSettings(amount="0.05", country="MY"),),  # nobody else can be reached
)
FINAL = [state for state in ReceiptState if state.final]
TABLES = (
    "messages",
    "submissions",
    "segments",
    "events",
    "ledger",
    "outbox",
    "early_receipts",
    "marks",
    "statistics",
)


class Player:
    """Plays one step after the other on a running flow."""

    def __init__(self) -> None:
        self.serial = 0
        self.taken: list[str] = []  # ids of what the carrier took, over all runs

    async def play(self, rig: Rig, step: tuple[str, int]) -> None:
        name, number = step
        await getattr(self, name)(rig, number)
        await rig.settled()

    async def accept(self, rig: Rig, number: int) -> None:
        """Send to some handsets; to every fourth of them there is no price."""
        self.serial += 1
        people = [
            Recipient(f"6012{n:07d}", f"(60)12{n:07d}", "SG" if n % 4 == 3 else "MY")
            for n in range(number % 6 + 1)
        ]
        purpose = Purpose(number % 3 + 1)
        draft = Draft("UTA000000000001", purpose, LONG if number % 2 else "【Acme】code 1", people)
        key = f"{self.serial:032x}"
        await rig.pipeline.accept(Request(ACCOUNT, "org-one", None, [draft], key, lambda session: session))

    async def answer(self, rig: Rig, number: int) -> None:
        """Take some of what is unanswered."""
        channel = rig.channel()
        self.taken += channel.answer(
            channel.unanswered[: number + 1], message_id=f"{self.serial:x}f{number:x}"
        )

    async def take(self, rig: Rig, number: int) -> None:
        """Take all of it, each by an id of its own."""
        self.taken += rig.channel().accept()

    async def refuse(self, rig: Rig, number: int) -> None:
        """Refuse some of it, for good or for a while."""
        channel = rig.channel()
        some = channel.unanswered[: number % 4 + 1]
        why = (Disposition.PERMANENT, Disposition.TEMPORARY, Disposition.ROUTE)[number % 3]
        channel.answer(some, fate=Fate.REFUSED, status=0x45, disposition=why, message_id="")

    async def doubt(self, rig: Rig, number: int) -> None:
        """Lose the session."""
        rig.channel().go(up=False)
        rig.channel().go(up=True)

    async def receipt(self, rig: Rig, number: int) -> None:
        """Bring receipts, some of them again or for ids nobody has answered with."""
        ids = self.taken[number % 3 :: 2][:5] or ["cafe"]
        await rig.channel().receipt(*ids, state=FINAL[number % len(FINAL)])

    async def wait(self, rig: Rig, number: int) -> None:
        """Let time pass: retries, or the deadline of receipts, or the end of validity, or another day."""
        rig.clock.pass_((5, 700, 90_000, 200_000)[number % 4])
        await rig.pipeline.sweeper.look(seldom=True)


STEPS = st.tuples(
    st.sampled_from(["accept", "accept", "answer", "take", "refuse", "doubt", "receipt", "receipt", "wait"]),
    st.integers(0, 11),
)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(runs=st.lists(st.lists(STEPS, min_size=1, max_size=12), min_size=1, max_size=3))
async def test_whatever_flows_the_counters_are_a_recount(
    store: Store, url: str, runs: list[list[tuple[str, int]]]
) -> None:
    for table in TABLES:
        store.transaction(lambda connection, name=table: connection.execute(text(f"DELETE FROM {name}")))
    store.transaction(lambda connection: connection.execute(text("DELETE FROM balances")))
    store.transaction(lambda connection: connection.execute(text("DELETE FROM accounts")))
    player, clock = Player(), SetClock()
    for steps in runs:  # each ends without a word, like a crash
        async with flow(url, channel_config("alpha", window=6), options=OPTIONS, clock=clock) as rig:
            for step in (("accept", 5), *steps):
                await player.play(rig, step)
        assert exact(store)


async def test_a_life_of_every_kind_is_counted_where_it_belongs(store: Store, url: str) -> None:
    clock, player = SetClock(), Player()
    async with flow(url, channel_config("alpha", window=20), options=OPTIONS, clock=clock) as rig:
        await player.accept(rig, 3)  # four, long; one without a price
        ids = rig.channel().accept()
        await rig.settled()
        assert await rig.channel().receipt(*ids[:2])  # both parts of the first arrived
        assert await rig.channel().receipt(*ids[2:4], state=ReceiptState.UNDELIVERED)
        await player.wait(rig, 1)  # the third stays unknown
        await rig.settled()
        assert sums(store) == {
            "messages": 4, "segments": 8, "success": 1, "success_segments": 2, "failed": 1,
            "failed_segments": 2, "unknown": 1, "unknown_segments": 2, "submit_failed": 1,
            "submit_failed_segments": 2,
        }  # fmt: skip
    async with flow(url, channel_config("alpha", window=20), options=OPTIONS, clock=clock) as rig:
        clock.pass_(86_400)
        assert await rig.channel().receipt(*ids[4:])  # a day later, after a restart
        await rig.settled()
        assert (sums(store)["success"], sums(store).get("unknown")) == (2, None)
    assert [State(row["state"]) for row in all_rows(store, tables.messages)][-1] is State.FAILED
    assert exact(store)
