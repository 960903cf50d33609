"""Somebody pulls the plug, at random moments, again and again: nothing acknowledged is lost."""

import random
import time

import pytest

from tests.support.customer import Inbox
from tests.support.gateway import Account, Site
from tests.support.processes import wait_for
from tests.support.traffic import Proof, Traffic

pytestmark = pytest.mark.slow

KILLS = 20
SEED = 20_261_123
WINDOW = 20
CREDIT = 1_000_000


def open_shop(site: Site, inbox: Inbox) -> Account:
    site.channel |= {"window": WINDOW, "links": 1}
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_simulator("--receipts", "delivered=0.9,undelivered", "--receipt-delay", "0-0.3", "--seed", "7")
    site.start_gateway()
    return account


def test_the_gateway_is_killed_twenty_times_under_load(site: Site, inbox: Inbox) -> None:
    account = open_shop(site, inbox)
    chance, crashes = random.Random(SEED), []
    with Traffic(site, account, SEED) as traffic:
        for _ in range(KILLS):
            traffic.after_more(1)
            time.sleep(chance.uniform(0.0, 0.5))  # the moment is what is random here
            crashes.append(time.time())
            site.gateway.kill()
            site.start_gateway(bound=False)
        traffic.after_more(50)
    assert traffic.repeats > 0, "no kill ever met a request"
    assert not traffic.refused
    Proof(site, account, inbox, traffic.acknowledged).all(crashes, WINDOW, CREDIT)


def test_the_carrier_is_killed_twenty_times_under_load(site: Site, inbox: Inbox) -> None:
    account = open_shop(site, inbox)
    chance, crashes = random.Random(SEED + 1), []
    with Traffic(site, account, SEED + 1) as traffic:
        for _ in range(KILLS):
            wait_for("bound gateway", site.bound, 60.0)
            time.sleep(chance.uniform(0.0, 0.5))
            crashes.append(time.time())
            site.simulator.kill()
            traffic.after_more(1)  # accepted without a carrier
            site.start_simulator(
                *("--receipts", "delivered=0.9,undelivered", "--receipt-delay", "0-0.3", "--seed", "7")
            )
        traffic.after_more(50)
    assert not traffic.refused
    Proof(site, account, inbox, traffic.acknowledged).all(crashes, WINDOW, CREDIT)


def test_both_are_killed_together(site: Site, inbox: Inbox) -> None:
    account = open_shop(site, inbox)
    chance, crashes = random.Random(SEED + 2), []
    with Traffic(site, account, SEED + 2) as traffic:
        for _ in range(5):
            traffic.after_more(1)
            time.sleep(chance.uniform(0.0, 0.5))
            crashes.append(time.time())
            site.gateway.kill()
            site.simulator.kill()
            site.start_simulator("--receipts", "delivered", "--receipt-delay", "0-0.3")
            site.start_gateway(bound=False)
        traffic.after_more(50)
    Proof(site, account, inbox, traffic.acknowledged).all(crashes, WINDOW, CREDIT)
