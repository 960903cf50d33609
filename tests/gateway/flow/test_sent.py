"""The memory of submitted segments is bounded and keeps the youngest."""

from carriers.results import Receipt, ReceiptState
from gateway.domain.message import Reason, State
from gateway.flow.sent import Sent, SentIndex
from gateway.ids import id_at
from tests.support.messages import NOON_MS, message


def test_a_segment_is_found_by_channel_and_id_only() -> None:
    index = SentIndex()
    sent = Sent(message(), 1, None)
    index.add("alpha", "7f", sent)
    assert index.get("alpha", "7f") is sent
    assert index.get("beta", "7f") is None


def test_two_channels_may_use_the_same_id() -> None:
    index = SentIndex()
    ours, theirs = Sent(message(1), 1, None), Sent(message(2), 1, None)
    index.add("alpha", "7f", ours)
    index.add("beta", "7f", theirs)
    index.forget("beta", "7f")
    assert (index.get("alpha", "7f"), index.get("beta", "7f")) == (ours, None)


def test_it_keeps_at_most_two_generations_and_the_youngest_of_all() -> None:
    index = SentIndex(generation=10)
    for number in range(100):
        index.add("alpha", str(number), Sent(message(number), 1, None))
        assert len(index) <= 20
    assert all(index.get("alpha", str(number)) for number in range(90, 100))
    assert index.get("alpha", "1") is None


def receipt(message_id: str = "", source: str = "60123") -> Receipt:
    return Receipt(message_id, ReceiptState.DELIVERED, "DELIVRD", "", source)


def meant(index: SentIndex, one: Receipt, channel: str = "alpha", kept_id: int | None = None) -> object:
    found = index.meant_by(channel, one, kept_id)
    return found and found[1].message


def test_a_handset_in_doubt_is_named_only_if_there_is_one() -> None:
    index, stranger = SentIndex(), receipt("ff")
    first, second = (message(n, phone="60123", channel="alpha", state=State.IN_DOUBT) for n in (1, 2))
    index.doubtful[first.id] = first
    assert meant(index, stranger) is first
    assert meant(index, stranger, channel="beta") is None
    index.doubtful[second.id] = second
    assert meant(index, stranger) is None
    second.move(State.HELD, Reason.RESENT_IN_DOUBT)
    assert meant(index, stranger) is first


def test_a_receipt_kept_before_the_message_was_sent_does_not_mean_it() -> None:
    index = SentIndex()
    doubt = message(phone="60123", channel="alpha", state=State.IN_DOUBT, sent_at=NOON_MS)
    index.doubtful[doubt.id] = doubt
    assert meant(index, receipt("ff"), kept_id=id_at(NOON_MS - 1)) is None
    assert meant(index, receipt("ff"), kept_id=id_at(NOON_MS)) is doubt


def test_a_receipt_without_an_id_means_the_only_message_its_handset_waits_for() -> None:
    index = SentIndex(generation=2)
    first, second = (message(n, phone="60123", state=State.SUBMITTED) for n in (1, 2))
    index.add("alpha", "a", Sent(first, 1, None))
    assert meant(index, receipt("ff")) is None  # an id that fits nothing says that it is another's
    assert meant(index, receipt()) is first
    for number in range(2):  # into the older generation
        index.add("alpha", f"x{number}", Sent(message(10 + number, phone="1"), 1, None))
    assert meant(index, receipt()) is first
    index.add("alpha", "b", Sent(second, 1, None))
    assert meant(index, receipt()) is None
    first.move(State.DELIVERED, Reason.RECEIPT)
    assert meant(index, receipt()) is second


def test_a_receipt_without_an_id_does_not_choose_between_a_doubt_and_a_submission() -> None:
    index = SentIndex()
    doubt = message(1, phone="60123", channel="alpha", state=State.IN_DOUBT)
    index.doubtful[doubt.id] = doubt
    index.add("alpha", "a", Sent(message(2, phone="60123", state=State.SUBMITTED), 1, None))
    assert meant(index, receipt()) is None
    assert meant(index, receipt("ff")) is doubt
