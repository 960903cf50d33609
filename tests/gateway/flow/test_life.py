"""A message's life as people read it."""

from gateway.flow.life import masked, readable

STORED = {
    "id": 7,
    "phone": "60123456781",
    "phone_given": "(60)123456781",
    "text": "Your code is 246810",
    "price": 45_000,
    "accepted_at": 1_790_000_000_500,
    "final_at": None,
    "timeline": [{"at": 1_790_000_000_500, "state": "queued", "reason": "", "detail": "to 60123456781"}],
    "ledger": [{"kind": "reserve", "amount": -45_000, "reserved": 45_000, "at": 1_790_000_000_500}],
}


def test_times_are_utc_and_money_is_decimal_at_every_depth() -> None:
    life = readable(STORED)
    assert (life["price"], life["accepted_at"], life["final_at"]) == (
        "0.045",
        "2026-09-21T14:13:20.500+00:00",
        None,
    )
    assert life["ledger"] == [
        {"kind": "reserve", "amount": "-0.045", "reserved": "0.045", "at": "2026-09-21T14:13:20.500+00:00"}
    ]


def test_masked_it_names_nobody_and_says_nothing() -> None:
    life = masked(readable(STORED))
    assert (life["phone"], life["text"]) == ("601******81", None)
    assert "123456781" not in str(life)
    assert "246810" not in str(life)
    assert life["price"] == "0.045"


def test_what_was_redacted_stays_so() -> None:
    life = masked(readable({**STORED, "phone": None, "phone_given": None, "text": None}))
    assert (life["phone"], life["phone_given"], life["text"]) == (None, None, None)


def test_the_facts_alone_are_masked_too() -> None:
    facts = {name: value for name, value in STORED.items() if name not in ("timeline", "ledger", "text")}
    told = masked(readable(facts))
    assert set(told) == set(facts)
    assert "123456781" not in str(told)
