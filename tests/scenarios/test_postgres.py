"""The database server goes away under load, in both ways it can: nothing acknowledged is lost or repeated."""

import random
import time
from collections.abc import Iterator

import pytest

from tests.support.customer import Inbox
from tests.support.gateway import Account, Site
from tests.support.postgres import PrivatePostgres
from tests.support.processes import wait_for
from tests.support.traffic import Proof, Traffic

pytestmark = pytest.mark.slow

OUTAGES = 4
SEED = 20_261_124
WINDOW = 20
CREDIT = 1_000_000


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as running:
        yield running


def open_shop(site: Site, inbox: Inbox, server: PrivatePostgres) -> Account:
    site.settings["store"]["url"] = server.url(server.new_database())
    site.channel |= {"window": WINDOW, "links": 1}
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_simulator("--receipts", "delivered=0.9,undelivered", "--receipt-delay", "0-0.3", "--seed", "7")
    site.start_gateway()
    return account


def nothing_refused_was_sent(site: Site, traffic: Traffic) -> None:
    sent = {event["destination"] for event in site.submits()}
    taken = {phone.replace("(60)", "60") for entry in traffic.acknowledged for phone in entry.phones}
    assert sent == taken


def test_the_server_restarts_under_load(site: Site, inbox: Inbox, server: PrivatePostgres) -> None:
    """The gateway goes on by itself, and sends nothing twice: it knows what it has sent."""
    account = open_shop(site, inbox, server)
    chance = random.Random(SEED)
    with Traffic(site, account, SEED) as traffic:
        for number in range(OUTAGES):
            traffic.after_more(20)
            time.sleep(chance.uniform(0.0, 0.5))  # the moment is what is random here
            server.stop("fast" if number % 2 else "immediate")
            time.sleep(chance.uniform(0.0, 0.5))
            server.start()
        traffic.after_more(50)
    assert set(traffic.refused) <= {18004}
    proof = Proof(site, account, inbox, traffic.acknowledged)
    proof.all([], WINDOW, CREDIT)
    nothing_refused_was_sent(site, traffic)
    assert site.gateway.running


def test_the_server_and_the_gateway_go_together(site: Site, inbox: Inbox, server: PrivatePostgres) -> None:
    account = open_shop(site, inbox, server)
    chance, crashes = random.Random(SEED + 1), []
    with Traffic(site, account, SEED + 1) as traffic:
        for _ in range(OUTAGES):
            wait_for("bound gateway", site.bound, 60.0)
            traffic.after_more(20)
            time.sleep(chance.uniform(0.0, 0.5))
            crashes.append(time.time())
            server.stop("immediate")
            site.gateway.kill()
            server.start()
            site.start_gateway(bound=False)
        traffic.after_more(50)
    proof = Proof(site, account, inbox, traffic.acknowledged)
    proof.all(crashes, WINDOW, CREDIT)
    nothing_refused_was_sent(site, traffic)
