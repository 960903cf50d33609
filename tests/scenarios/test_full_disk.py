"""The disk is full: clear refusals, nothing half done, and work goes on by itself once there is room."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.customer import Inbox, RawCustomer
from tests.support.gateway import Site
from tests.support.processes import get_json, wait_for
from tests.support.traffic import Acknowledged, Proof

pytestmark = pytest.mark.slow

CREDIT = 1_000


@contextmanager
def full_disk(site: Site) -> Iterator[None]:
    """Let no file of the gateway's outgrow the write-ahead log as it is: nothing more can be committed."""
    wal = Path(f"{site.directory / 'gateway.db'}-wal")
    writer = writer_of(site.gateway.pid)
    _, hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (wal.stat().st_size, hard))
    try:
        yield
    finally:
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (hard, hard))


def writer_of(gateway: int) -> int:
    """Return the process that writes the gateway's database: its only child."""
    lists = (path.read_text() for path in Path(f"/proc/{gateway}/task").glob("*/children"))
    (child,) = " ".join(lists).split()
    return int(child)


def test_a_full_disk_refuses_clearly_and_recovers(site: Site, inbox: Inbox) -> None:
    site.channel["timers"] = {**site.channel["timers"], "response": 2.0}
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_simulator("--receipts", "delivered", "--receipt-delay", "1")
    site.start_gateway()
    customer = RawCustomer(site, account)
    before = [f"(60)11{number:07d}" for number in range(50)]
    during = [f"(60)12{number:07d}" for number in range(20)]
    after = [f"(60)13{number:07d}" for number in range(50)]
    first = customer.send(*before)
    wait_for("submitted messages", lambda: len(site.submits()) == len(before))

    with full_disk(site):
        refused = [customer.send(phone) for phone in during]
        assert {answer["RetCode"] for answer in refused} == {18004}
        assert not any("SessionNo" in answer for answer in refused)
        assert get_json(f"http://127.0.0.1:{site.admin_port}/healthz")[0] == 200
        wait_for("receipts put off", lambda: site.carrier_stats()["receipts_put_off"] > 0)

    def works_again() -> str:
        answer = customer.send(*after)
        return str(answer.get("SessionNo", ""))

    second = wait_for("accepted message", works_again, 30.0)
    acknowledged = [Acknowledged(first["SessionNo"], before), Acknowledged(second, after)]
    proof = Proof(site, account, inbox, acknowledged)
    proof.all([], window=0, credit=CREDIT)
    assert {event["destination"][:4] for event in site.submits()} == {"6011", "6013"}


def test_a_message_sent_just_before_the_disk_filled_up_is_submitted_and_charged_once(
    site: Site, inbox: Inbox
) -> None:
    """Its answer cannot be recorded at first; it is when there is room, or after a restart it goes again."""
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_simulator("--receipts", "delivered", "--answer-delay", "1")
    site.start_gateway()
    customer = RawCustomer(site, account)
    phones = [f"(60)14{number:07d}" for number in range(20)]
    answer = customer.send(*phones)
    wait_for("submitted messages", lambda: len(site.submits()) == len(phones))
    with full_disk(site):
        wait_for("refusal", lambda: customer.send("(60)150000000")["RetCode"] == 18004)
        taken = len(phones)
        wait_for("answers", lambda: site.carrier_stats()["statuses"].get("0x00", 0) >= taken, 30.0)
    proof = Proof(site, account, inbox, [Acknowledged(answer["SessionNo"], phones)])
    proof.all([], window=0, credit=CREDIT)
