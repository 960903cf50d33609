"""Keys, addresses and standing of a customer, changed while the gateway runs."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.customer import RawCustomer
from tests.support.gateway import Account, Site
from tests.support.processes import wait_for

pytestmark = pytest.mark.slow


def answered(site: Site, account: Account, code: int) -> None:
    """Wait until the account's requests get `code`: changes take effect within a second."""
    customer = RawCustomer(site, account)
    wait_for(f"RetCode {code}", lambda: customer.call("GetProjectList")["RetCode"] == code, 5.0)


def with_key(account: Account, pair: dict[str, Any]) -> Account:
    return replace(account, public_key=pair["public_key"], private_key=pair["private_key"])


def test_keys_and_standing_take_effect_in_the_running_gateway(site: Site) -> None:
    site.write_config()
    first = site.customer()
    site.start_simulator()
    site.start_gateway()
    answered(site, first, 0)

    second = with_key(first, site.cli("key", "create", first.account_id, "--name", "second"))
    answered(site, second, 0)
    answered(site, first, 0)

    third = with_key(first, site.cli("key", "rotate", second.public_key))
    answered(site, second, 172)
    answered(site, third, 0)

    fourth = with_key(first, site.cli("key", "rotate", third.public_key, "--overlap", "3600"))
    answered(site, fourth, 0)
    answered(site, third, 0)
    site.cli("key", "disable", third.public_key)
    answered(site, third, 172)

    site.cli("key", "allow", fourth.public_key, "192.0.2.0/24")
    answered(site, fourth, 294)
    site.cli("key", "allow", fourth.public_key, "192.0.2.0/24", "127.0.0.0/8")
    answered(site, fourth, 0)
    site.cli("account", "allow", first.account_id, "192.0.2.1")
    answered(site, fourth, 294)
    answered(site, first, 294)
    site.cli("account", "allow", first.account_id, "--any")
    answered(site, first, 0)

    site.cli("account", "restrict", first.account_id, "--reason", "complaints")
    answered(site, first, 173)
    site.cli("account", "restore", first.account_id)
    answered(site, first, 0)

    made = site.cli("project", "create", first.account_id, "Shop")["project_id"]
    site.cli("project", "default", made)
    customer = RawCustomer(site, first)

    def default() -> bool:
        found = customer.call("GetProjectList", ProjectId=None)["ProjectSet"]
        return [one["ProjectId"] for one in found if one["IsDefault"]] == [made]

    wait_for("new default project", default)

    assert site.gateway.terminate() == 0
    used = {key["public_key"]: key["used_from"] for key in site.cli("key", "list", first.account_id)}
    assert used == dict.fromkeys(
        (first.public_key, second.public_key, third.public_key, fourth.public_key), "127.0.0.1"
    )
