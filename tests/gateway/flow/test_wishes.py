"""A handset's wish puts it on the list of those who opted out, or takes it off, with the message itself."""

from pathlib import Path

from sqlalchemy import insert

from gateway.domain.lists import ListKind, Source
from gateway.store import numbers, owned_numbers, tables
from gateway.store.numbers import Listed, Wanted
from gateway.store.tables_inbound import mo_messages
from tests.support.flow import ACCOUNT, Rig, flow, reply
from tests.support.rows import BY

PHONE = 60120000001


async def says(rig: Rig, *texts: str) -> list[Listed]:
    """Let the handset say these; return who has opted out of the project then."""
    await rig.channel().brings(*(reply(text) for text in texts))
    await rig.pipeline.settler.idle()
    await rig.pipeline.inbound.look()
    wanted = Wanted(account_id=ACCOUNT, kinds=[ListKind.OPTED_OUT])
    return await rig.store.read(lambda c: numbers.listed(c, wanted, 10))


async def owned(rig: Rig) -> None:
    project = {"id": "org-one", "account_id": ACCOUNT, "name": "One", "is_default": True, "created_at": 0}
    await rig.store.write(lambda c: c.execute(insert(tables.projects).values(project)))
    place = owned_numbers.Place("1069")
    await rig.store.write(lambda c: owned_numbers.add(c, place, (ACCOUNT, ""), BY))


async def test_stop_opts_out_of_promotions_of_the_project_and_start_takes_that_back(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owned(rig)
        (listed,) = await says(rig, "退订")
        assert (listed.phone, listed.project_id, listed.purpose) == (PHONE, "org-one", 3)
        assert listed.source is Source.REPLY
        assert len(await says(rig, "STOP")) == 1, "once is enough"
        assert await says(rig, "start") == []
        assert len(await says(rig, "START", "stop")) == 1, "the last word counts"
        assert len(await rig.rows(mo_messages)) == 5


async def test_start_does_not_take_a_number_off_the_blacklist(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owned(rig)
        blocked = numbers.Listing(ACCOUNT, "org-one", ListKind.BLOCKED, PHONE, 3, by="an operator")
        await rig.store.write(lambda c: numbers.list_numbers(c, [blocked], 0))
        await says(rig, "START")
        wanted = Wanted(account_id=ACCOUNT, kinds=[ListKind.BLOCKED])
        assert len(await rig.store.read(lambda c: numbers.listed(c, wanted, 10))) == 1


async def test_a_reply_neither_takes_back_nor_overwrites_what_an_operator_wrote_down(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        await owned(rig)
        letter = numbers.Listing(
            ACCOUNT, "org-one", ListKind.OPTED_OUT, PHONE, 3, remark="letter of 3 May", by="vera"
        )
        await rig.store.write(lambda c: numbers.list_numbers(c, [letter], 0))
        for word in ("STOP", "START"):
            (kept,) = await says(rig, word)
            assert (kept.source, kept.remark, kept.by) == (Source.OPERATOR, "letter of 3 May", "vera")
