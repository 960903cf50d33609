"""What crosses to the writer process comes out as it went in, however the stream is cut."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RowRefused, StoreUnavailable
from gateway.store.frames import Frames, dump_outcomes, frame, load_outcomes

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=10,
)


@given(messages=st.lists(plain, max_size=5), cut=st.integers(1, 40))
def test_messages_survive_any_cut(messages: list[Any], cut: int) -> None:
    wire = b"".join(map(frame, messages))
    frames = Frames()
    received: list[Any] = []
    for start in range(0, len(wire), cut):
        received += frames.receive(wire[start : start + cut])
    assert received == messages


def test_what_is_no_plain_value_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="unmarshallable"):
        frame(object())


def test_outcomes_keep_their_kind_and_their_reason() -> None:
    told = load_outcomes(dump_outcomes([None, StoreUnavailable("disk full"), RowRefused("twice")]))
    assert told[0] is None
    assert isinstance(told[1], StoreUnavailable)
    assert isinstance(told[2], RowRefused)
    assert [str(error) for error in told[1:]] == ["disk full", "twice"]
