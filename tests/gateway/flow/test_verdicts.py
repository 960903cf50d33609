"""What the rules did is counted once, whatever the store does meanwhile."""

from pathlib import Path

import pytest

from config.schema import RiskMode, RiskRule
from gateway.errors import StoreUnavailable
from gateway.flow import verdicts as module
from gateway.flow.verdicts import SAMPLES, Verdicts
from gateway.store.changes import Changes
from gateway.store.tables_risk import risk_counts, risk_samples
from tests.support.flow import flow


def note(verdicts: Verdicts, account: str = "acc-1", **more: object) -> None:
    verdicts.note(account, RiskRule.HOURS, RiskMode.ON, **more)  # type: ignore[arg-type]


async def test_counts_of_several_moments_add_up(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        verdicts = rig.pipeline.risk.verdicts
        for count in (1, 2, 4):
            note(verdicts, count=count)
            note(verdicts, account="acc-2")
            await verdicts.flush()
        await verdicts.flush()  # nothing new: nothing is written
        rows = await rig.rows(risk_counts)
        assert [(row["account_id"], row["count"]) for row in rows] == [("acc-1", 7), ("acc-2", 3)]
        rendered = rig.pipeline.context.metrics.render().decode()
        assert 'scloud_risk_verdicts_total{mode="on",rule="hours"} 10.0' in rendered


async def test_a_few_examples_a_day_are_kept_with_their_numbers_masked(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        verdicts = rig.pipeline.risk.verdicts
        for _ in range(2):
            for n in range(SAMPLES):
                note(verdicts, phone=f"6012345678{n}", detail="hours 08:00-20:00 hold")
            await verdicts.flush()
        rows = await rig.rows(risk_samples)
        assert len(rows) == SAMPLES
        assert {(row["phone"], row["detail"]) for row in rows} == {
            (f"6012*****8{n}", "hours 08:00-20:00 hold") for n in range(SAMPLES)
        }
        rig.clock.pass_(86_400)
        note(verdicts)
        await verdicts.flush()
        assert len(await rig.rows(risk_samples)) == SAMPLES + 1
        assert [row["count"] for row in await rig.rows(risk_counts)] == [2 * SAMPLES, 1]


async def test_what_the_store_cannot_take_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with flow(tmp_path / "g.db") as rig:
        verdicts, journal = rig.pipeline.risk.verdicts, rig.pipeline.context.journal
        append = journal.append

        async def away(_: Changes) -> None:
            note(verdicts)
            raise StoreUnavailable("away")

        note(verdicts)
        monkeypatch.setattr(journal, "append", away)
        with pytest.raises(StoreUnavailable):
            await verdicts.flush()
        monkeypatch.setattr(journal, "append", append)
        await verdicts.flush()
        assert [row["count"] for row in await rig.rows(risk_counts)] == [2]
        assert len(await rig.rows(risk_samples)) == 2


async def test_memory_is_bounded_while_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    async with flow(tmp_path / "g.db") as rig:
        verdicts = rig.pipeline.risk.verdicts
        for n in range(10):
            note(verdicts, account=f"acc-{n}")
        note(verdicts, account="acc-0")
        await verdicts.flush()
        assert [row["count"] for row in await rig.rows(risk_counts)] == [2, 1, 1]


async def test_they_are_written_before_the_gateway_stops(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        note(rig.pipeline.risk.verdicts)
        await rig.pipeline.drain()
        assert [row["count"] for row in await rig.rows(risk_counts)] == [1]
