"""Handsets write back: over real TCP, through crashes, to the customer who owns the number."""

from itertools import count

import pytest

from tests.support.customer import Inbox, RawCustomer
from tests.support.gateway import Account, Site
from tests.support.processes import wait_for

pytestmark = pytest.mark.slow

HANDSET = "60123456789"
LONG = "First I must say that this is a long message. " * 6


class Handsets:
    """What the simulated carrier's handsets are told to send, line by line."""

    def __init__(self, site: Site) -> None:
        self.file = site.directory / "handsets"
        self.site = site

    def send(self, line: str) -> None:
        with self.file.open("a") as file:
            file.write(line + "\n")

    def kept(self) -> list[dict[str, object]]:
        """Return the messages the gateway has, oldest first."""
        found: list[dict[str, object]] = self.site.own_cli("inbound", "list", "--limit", "1000")
        return found[::-1]

    def await_kept(self, count: int) -> list[dict[str, object]]:
        return wait_for(f"{count} messages kept", lambda: (len(m := self.kept()) >= count and m) or [], 30.0)

    def await_parts(self, count: int) -> None:
        """Return once the carrier knows that so many parts are acknowledged."""
        wait_for(
            f"{count} acknowledged parts",
            lambda: self.site.carrier_stats()["mo_acknowledged"] >= count,
            30.0,
        )


@pytest.fixture
def handsets(site: Site) -> Handsets:
    return Handsets(site)


def open_shop(site: Site, inbox: Inbox, handsets: Handsets, *carrier: str, **inbound: object) -> Account:
    """Start everything; the number 1069 and all behind it belong to the customer."""
    site.settings["inbound"] = inbound
    site.channel["source"] = "1069"
    site.write_config()
    account = site.customer(callback=inbox.url, purposes=("notification", "promotion"))
    site.own_cli("number", "add", "1069", "--account", account.account_id)
    site.start_simulator("--receipts", "delivered", "--mo-file", str(handsets.file), *carrier)
    site.start_gateway()
    return account


def test_every_writing_and_every_way_of_joining_reaches_the_customer(
    site: Site, inbox: Inbox, handsets: Handsets
) -> None:
    open_shop(site, inbox, handsets)
    wanted = {}
    ways = [
        ("gsm", "hello [€]"),
        ("ucs2", "你好😀"),
        ("latin1", "café"),
        ("gsm", LONG),
        ("ucs2", "退订" * 90),
    ]
    for number, (writing, text) in enumerate(ways):
        for concat in ("udh8", "udh16", "sar", "payload"):
            extend = f"{number}{('udh8', 'udh16', 'sar', 'payload').index(concat)}"
            wanted[extend] = text.strip()
            handsets.send(f"from={HANDSET}; to=1069{extend}; writing={writing}; concat={concat}; text={text}")
    handsets.send(f"from={HANDSET}; to=106999; writing=binary; text=00ff10")
    wanted["99"] = "00ff10"
    replies = inbox.await_replies(len(wanted))
    assert {reply["ExtendCode"]: reply["ReplyContent"] for reply in replies} == wanted
    assert {reply["Phone"] for reply in replies} == {f"(60){HANDSET[2:]}"}


def test_the_gateway_is_killed_between_the_parts_of_a_message(
    site: Site, inbox: Inbox, handsets: Handsets
) -> None:
    open_shop(site, inbox, handsets)
    handsets.send(f"from={HANDSET}; to=1069; size=120; parts=3,1; text={LONG}")
    handsets.await_parts(2)
    site.gateway.kill()
    handsets.send(f"from={HANDSET}; to=1069; size=120; parts=2; text={LONG}")
    site.start_gateway()
    (reply,) = inbox.await_replies(1)
    assert reply["ReplyContent"] == LONG.strip()


def test_a_carrier_that_has_no_answer_sends_again_and_the_customer_is_told_once(
    site: Site, inbox: Inbox, handsets: Handsets
) -> None:
    """Handsets write while the gateway is killed, again and again; what has no answer comes again."""
    open_shop(site, inbox, handsets)
    texts = [f"message {number}" for number in range(60)]
    for number, text in enumerate(texts):
        handsets.send(
            f"from=6012000{number:04d}; to=1069; after={number * 0.05:.2f}; gap=0.02; size=5; text={text}"
        )
    for kills in range(3):
        handsets.await_parts(20 * (kills + 1))
        site.gateway.kill()
        site.start_gateway()
    wait_for("everything acknowledged", lambda: site.carrier_stats()["mo_owed"] == 0, 60.0)
    replies = inbox.await_replies(len(texts))
    assert sorted({reply["ReplyContent"] for reply in replies}) == sorted(texts)
    assert len(handsets.kept()) == len(texts)


def test_what_never_comes_whole_is_delivered_flagged_and_nothing_is_dropped(
    site: Site, inbox: Inbox, handsets: Handsets
) -> None:
    open_shop(site, inbox, handsets, timeout=1.0)
    handsets.send(f"from={HANDSET}; to=1069; size=4; parts=1,3; text=one two four")
    (reply,) = inbox.await_replies(1)
    assert (reply["ReplyContent"], reply["MissingParts"]) == ("one […]four", [2])
    handsets.send(f"from={HANDSET}; to=1069; size=4; parts=2; text=one two four")
    assert inbox.await_replies(2)[1]["ReplyContent"] == "[…]two […]"
    first, rest = handsets.kept()
    shown = site.cli("inbound", "show", str(rest["id"]))
    assert (shown["remainder_of"], shown["flags"]) == (first["id"], ["remainder"])


def test_nobodys_message_is_kept_until_somebody_gets_it(site: Site, inbox: Inbox, handsets: Handsets) -> None:
    account = open_shop(site, inbox, handsets)
    handsets.send("from=6599999999; to=88888; text=anybody?")
    (kept,) = handsets.await_kept(1)
    assert site.cli("inbound", "list", "--unowned") == [kept]
    assert kept["ownership"] == "nobody"
    site.cli("inbound", "assign", str(kept["id"]), "--account", account.account_id)
    (reply,) = inbox.await_replies(1)
    assert reply["ReplyContent"] == "anybody?"
    assert site.cli("inbound", "list", "--unowned") == []


def test_a_reply_knows_which_message_it_answers(site: Site, inbox: Inbox, handsets: Handsets) -> None:
    account = open_shop(site, inbox, handsets, "--mo", "reply=yes; from=60; text=OK")
    customer = RawCustomer(site, account)
    customer.send(f"(60){HANDSET[2:]}", UserId="order-42")
    (reply,) = inbox.await_replies(1)
    assert (reply["Phone"], reply["UserId"]) == (f"(60){HANDSET[2:]}", "order-42")


def test_who_says_stop_gets_no_further_promotion_until_start(
    site: Site, inbox: Inbox, handsets: Handsets
) -> None:
    open_day = {"hours": "00:00-24:00 hold", "content_rate": "1000/1m", "content_day": "1000/24h"}
    site.settings["risk"] = open_day
    account = open_shop(site, inbox, handsets)
    customer = RawCustomer(site, account)
    promotion = {"TemplateId": account.templates["promotion"], "TemplateParams__0": None}
    phone = f"(60){HANDSET[2:]}"

    requests = count(1)

    def outcome() -> str:
        # the same request again within a minute would be the same message
        session = customer.send(phone, **promotion, UserId=f"n{next(requests)}")["SessionNo"]
        return str(customer.await_receipts(session, 1)[phone]["ReceiptCode"])

    assert outcome() == "DELIVRD"
    handsets.send(f"from={HANDSET}; to=1069; text=Stop")
    inbox.await_replies(1)
    wait_for("the opt-out to count", lambda: outcome() == "OPTED_OUT")
    assert customer.send(phone)["RetCode"] == 0, "notifications go on"
    handsets.send(f"from={HANDSET}; to=1069; text=START")
    inbox.await_replies(2)
    wait_for("promotions again", lambda: outcome() == "DELIVRD")
