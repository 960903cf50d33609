"""Which route a message takes, and why not another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import PURPOSES, CarrierConfig, ChannelConfig, MatchConfig, Network, RouteConfig
from routing import table as module
from routing.rules import Miss
from routing.table import Choice, Considered, Dropped, Explanation, NoRoute, RouteReason, RouteTable


def channel(id_: str, purposes: tuple[str, ...] = PURPOSES) -> ChannelConfig:
    return ChannelConfig(id=id_, host="smsc.example", port=2775, system_id="us", purposes=purposes)


CHANNELS = (
    channel("cheap", ("notification", "promotion")),
    channel("direct"),
    channel("otp", ("verification",)),
)
ROUTES = (
    RouteConfig(id="vip", match=MatchConfig(accounts=("acc-vip",)), channels=("direct",)),
    RouteConfig(
        id="codes", match=MatchConfig(prefixes=("601",), purposes=("verification",)), channels=("otp",)
    ),
    RouteConfig(id="malaysia", match=MatchConfig(countries=("MY",)), channels=("cheap", "direct")),
    RouteConfig(id="marketing", match=MatchConfig(countries=("SG",)), channels=("cheap",)),
)
NETWORK = Network(carrier=(CarrierConfig(id="c", channel=CHANNELS),), route=ROUTES)


@pytest.fixture
def table() -> RouteTable:
    return RouteTable.of(NETWORK)


def test_the_first_match_in_file_order_wins(table: RouteTable) -> None:
    assert table.choose("MY", "60123456789", "notification", "acc-1") == Choice(
        "malaysia", ("cheap", "direct")
    )
    assert table.choose("MY", "60123456789", "notification", "acc-vip") == Choice("vip", ("direct",))
    assert table.choose("MY", "60123456789", "verification", "acc-1") == Choice("codes", ("otp",))


def test_a_channel_whose_contract_forbids_the_purpose_is_dropped_and_named(table: RouteTable) -> None:
    dropped = (Dropped("cheap", RouteReason.PURPOSE_NOT_ALLOWED),)
    assert table.choose("MY", "60323456789", "verification", "acc-1") == Choice(
        "malaysia", ("direct",), dropped
    )


def test_a_route_that_matches_and_has_no_channel_left_is_the_end(table: RouteTable) -> None:
    dropped = (Dropped("cheap", RouteReason.PURPOSE_NOT_ALLOWED),)
    expected = NoRoute(RouteReason.NO_CHANNEL, "marketing", dropped)
    assert table.choose("SG", "6591234567", "verification", "acc-1") == expected


def test_a_number_no_route_matches_has_none(table: RouteTable) -> None:
    assert table.choose("GB", "447911123456", "verification", "acc-1") == NoRoute(RouteReason.NO_MATCH)


def test_an_explanation_lists_every_route_up_to_the_one_that_matched(table: RouteTable) -> None:
    assert table.explain("MY", "60323456789", "promotion", "acc-1") == Explanation(
        Choice("malaysia", ("cheap", "direct")),
        (
            Considered("vip", Miss.ACCOUNT),
            Considered("codes", Miss.PREFIX),
            Considered("malaysia", None),
        ),
    )
    assert len(table.explain("GB", "447911123456", "promotion", "acc-1").considered) == len(ROUTES)


def test_a_route_to_a_channel_that_does_not_exist_is_refused() -> None:
    network = Network(route=(RouteConfig(id="lost", channels=("nowhere",)),))
    with pytest.raises(ValueError, match="'nowhere'"):
        RouteTable.of(network)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["MY", "SG", "CN", "GB"]),
            st.sampled_from(["601", "6012", "603", "65", "86"]).flatmap(
                lambda start: st.text("0123456789", max_size=8).map(lambda rest: start + rest)
            ),
            st.sampled_from(PURPOSES),
            st.sampled_from(["acc-1", "acc-vip"]),
        ),
        max_size=60,
    )
)
def test_what_is_remembered_is_what_would_be_decided(queries: list[tuple[str, str, str, str]]) -> None:
    table = RouteTable.of(NETWORK)
    for query in queries * 2:
        assert table.choose(*query) == table.explain(*query).decision


def test_the_memory_of_decisions_is_bounded(table: RouteTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 10)
    for account in range(100):
        table.choose("MY", "60123456789", "promotion", f"acc-{account}")
        assert len(table) <= 10
