"""SIGTERM under load: no new requests, windows drained, everything flushed, exit 0; no message goes twice."""

import time

import pytest

from tests.support.customer import Inbox
from tests.support.gateway import Site
from tests.support.traffic import Proof, Traffic

pytestmark = pytest.mark.slow

CREDIT = 1_000


def test_sigterm_drains_and_exits_0_and_the_next_start_goes_on(site: Site, inbox: Inbox) -> None:
    site.channel["window"] = 20
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_simulator("--receipts", "delivered", "--answer-delay", "0.01-0.05")
    site.start_gateway()
    with Traffic(site, account, seed=1) as traffic:
        for _ in range(3):
            traffic.after_more(50)
            assert site.gateway.terminate(limit=30.0) == 0
            site.start_gateway(bound=False)
        traffic.after_more(10)
    proof = Proof(site, account, inbox, traffic.acknowledged)
    proof.all([time.time()], window=0, credit=CREDIT)
    assert proof.duplicates() == []
    repeated = [key for key, count in inbox.keys().items() if count > 1]
    assert repeated == []


def test_sigterm_with_the_carrier_away_keeps_the_queue(site: Site, inbox: Inbox) -> None:
    site.write_config()
    account = site.customer(callback=inbox.url, credit=str(CREDIT))
    site.start_gateway(bound=False)
    with Traffic(site, account, seed=2, customers=1) as traffic:
        traffic.after_more(30)
    assert site.gateway.terminate(limit=30.0) == 0
    site.start_simulator("--receipts", "delivered")
    site.start_gateway()
    Proof(site, account, inbox, traffic.acknowledged).all([], window=0, credit=CREDIT)
