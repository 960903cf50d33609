"""What one route matches."""

import pytest

from config.schema import MatchConfig, RouteConfig
from routing.rules import Miss, Query, Rule

OTP_TO_MALAYSIA = Query(country="MY", digits="60123456789", purpose="verification", account="acc-1")


def rule(**match: tuple[str, ...]) -> Rule:
    return Rule.of(RouteConfig(id="r", match=MatchConfig(**match), channels=("a",)))


def test_a_rule_without_conditions_matches_everything() -> None:
    assert rule().miss(OTP_TO_MALAYSIA) is None


@pytest.mark.parametrize(
    ("condition", "holds", "fails", "miss"),
    [
        ("prefixes", ("601", "65"), ("602",), Miss.PREFIX),
        ("countries", ("SG", "MY"), ("SG",), Miss.COUNTRY),
        ("purposes", ("verification",), ("notification", "promotion"), Miss.PURPOSE),
        ("accounts", ("acc-1",), ("acc-2",), Miss.ACCOUNT),
    ],
)
def test_each_condition_alone(
    condition: str, holds: tuple[str, ...], fails: tuple[str, ...], miss: Miss
) -> None:
    assert rule(**{condition: holds}).miss(OTP_TO_MALAYSIA) is None
    assert rule(**{condition: fails}).miss(OTP_TO_MALAYSIA) is miss


def test_every_condition_given_must_hold() -> None:
    strict = rule(prefixes=("60",), countries=("MY",), purposes=("verification",), accounts=("acc-1",))
    assert strict.miss(OTP_TO_MALAYSIA) is None
    assert (
        rule(prefixes=("60",), countries=("MY",), accounts=("acc-2",)).miss(OTP_TO_MALAYSIA) is Miss.ACCOUNT
    )


def test_a_prefix_longer_than_the_number_does_not_match() -> None:
    assert rule(prefixes=("601234567890",)).miss(OTP_TO_MALAYSIA) is Miss.PREFIX
