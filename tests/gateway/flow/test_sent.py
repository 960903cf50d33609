"""The memory of submitted segments is bounded and keeps the youngest."""

from gateway.domain.message import Reason, State
from gateway.flow.sent import Sent, SentIndex
from tests.support.messages import message


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


def test_a_handset_in_doubt_is_named_only_if_there_is_one() -> None:
    index = SentIndex()
    first, second = (message(n, phone="60123", channel="alpha", state=State.IN_DOUBT) for n in (1, 2))
    index.doubtful[first.id] = first
    assert index.doubtful_for("alpha", "60123") is first
    assert index.doubtful_for("beta", "60123") is None
    index.doubtful[second.id] = second
    assert index.doubtful_for("alpha", "60123") is None
    second.move(State.HELD, Reason.RESENT_IN_DOUBT)
    assert index.doubtful_for("alpha", "60123") is first
