"""Receipts nobody has claimed are found by id or by handset, and memory of them is bounded."""

from carriers.results import Receipt, ReceiptState
from gateway.flow.kept import KeptReceipts, Parked

PHONE = "60121234567"


def parked(id_: int, message_id: str = "", source: str = PHONE, channel: str = "alpha") -> Parked:
    return Parked(id_, channel, Receipt(message_id, ReceiptState.DELIVERED, "DELIVRD", "", source))


def test_an_id_is_found_on_its_channel_in_any_spelling_and_once() -> None:
    kept = KeptReceipts()
    kept.add(one := parked(1, "00AB"))
    assert kept.knows("alpha", parked(2, "ab").receipt)
    assert not kept.knows("beta", parked(2, "ab").receipt)
    assert kept.take("beta", "ab", PHONE) is None
    assert kept.take("alpha", "ab", PHONE) is one
    assert kept.take("alpha", "ab", PHONE) is None
    assert len(kept) == 0


def test_an_id_given_to_two_handsets_is_kept_for_both() -> None:
    kept = KeptReceipts()
    kept.add(one := parked(1, "ab"))
    assert not kept.knows("alpha", parked(2, "ab", "60129999999").receipt)
    kept.add(other := parked(2, "ab", "60129999999"))
    assert kept.take("alpha", "ab", "60128888888") is None
    assert kept.take("alpha", "ab", "60129999999") is other
    assert kept.take("alpha", "ab", PHONE) is one
    assert len(kept) == 0


def test_receipts_without_an_id_are_all_kept_and_never_found_by_it() -> None:
    kept = KeptReceipts()
    every = [parked(number) for number in (1, 2, 3)]
    for one in every:
        kept.add(one)
    assert not kept.knows("alpha", parked(4).receipt)
    assert kept.take("alpha", "", PHONE) is None
    assert kept.of_handset("alpha", PHONE, since_id=0) == every


def test_a_handset_tells_nothing_of_what_was_kept_before() -> None:
    kept = KeptReceipts()
    kept.add(parked(1, "a"))
    kept.add(later := parked(5, "b"))
    kept.add(parked(6, "c", source="60999"))
    assert kept.of_handset("alpha", PHONE, since_id=2) == [later]
    assert kept.of_handset("beta", PHONE, since_id=0) == []


def test_what_was_removed_is_found_in_no_way() -> None:
    kept = KeptReceipts()
    kept.add(parked(1, "a"))
    kept.remove(1)
    kept.remove(1)
    assert not kept.knows("alpha", parked(2, "a").receipt)
    assert kept.of_handset("alpha", PHONE, since_id=0) == []


def test_past_the_limit_the_store_alone_knows_the_oldest() -> None:
    """What nobody ever claims must not keep out what will be claimed in a moment."""
    kept = KeptReceipts(limit=2)
    for number in range(5):
        kept.add(parked(number, f"{number:x}"))
    assert len(kept) == 2
    assert kept.take("alpha", "0", PHONE) is None
    assert kept.take("alpha", "4", PHONE) is not None
