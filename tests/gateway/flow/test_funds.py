"""What is spent is there, whatever happens in between."""

import pytest

from gateway.flow.funds import Funds, InsufficientFunds


def test_a_reservation_lowers_what_can_be_spent() -> None:
    funds = Funds({"acc": 100}, 0)
    funds.reserve("acc", 60)
    assert funds.available("acc") == 40


def test_a_reservation_that_is_not_covered_changes_nothing() -> None:
    funds = Funds({"acc": 100}, 0)
    with pytest.raises(InsufficientFunds, match="short by 1"):
        funds.reserve("acc", 101)
    assert funds.available("acc") == 100


def test_an_account_nobody_credited_has_nothing() -> None:
    with pytest.raises(InsufficientFunds):
        Funds({}, 0).reserve("acc", 1)


def test_what_costs_nothing_needs_no_balance() -> None:
    funds = Funds({"acc": -5}, 0)  # a price correction may have gone below zero
    funds.reserve("acc", 0)
    assert funds.available("acc") == -5


def test_what_is_given_back_can_be_spent_again() -> None:
    funds = Funds({"acc": 100}, 0)
    funds.reserve("acc", 100)
    funds.add("acc", 100)
    funds.reserve("acc", 100)
    assert funds.available("acc") == 0
