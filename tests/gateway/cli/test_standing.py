"""What a customer may do, by command line."""

import pytest

from tests.support.cli import CommandLine


def test_an_account_is_restricted_with_a_reason_and_restored(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    cli("account", "restrict", account, "--reason", "complaints of August", "--json")
    (shown,) = cli("account", "list", "--json").json
    assert (shown["state"], shown["restricted_because"]) == ("restricted", "complaints of August")
    cli("account", "restore", account, "--json")
    (shown,) = cli("account", "list", "--json").json
    assert (shown["state"], shown["restricted_because"]) == ("active", None)


def test_language_addresses_and_terms_are_shown(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    cli("account", "language", account, "zh")
    cli("account", "allow", account, "192.0.2.0/24", "::1")
    cli("account", "terms", account, "2026-05", "--at", "2026-05-01T08:00:00+08:00")
    shown = cli("account", "show", account, "--json").json
    assert (shown["language"], shown["allowed"], shown["terms"]) == ("zh", "192.0.2.0/24,::1/128", "2026-05")
    cli("account", "language", account, "default")
    cli("account", "allow", account, "--any")
    shown = cli("account", "show", account, "--json").json
    assert (shown["language"], shown["allowed"]) == (None, None)


def test_when_terms_were_accepted_is_told_in_utc(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    for version, at, told in (
        ("1", "2026-05-01T08:00:00+08:00", "2026-05-01T00:00:00+00:00"),
        ("2", "2026-05-01", "2026-05-01T00:00:00+00:00"),
    ):
        assert cli("account", "terms", account, version, "--at", at, "--json").json["accepted"] == told
    assert cli("account", "terms", account, "3", "--json").code == 0


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("restrict", "ACCOUNT", "--reason", ""), "1 to 500 printable characters"),
        (("restore", "ACCOUNT"), "is not restricted"),
        (("language", "ACCOUNT", "fr"), "en, zh"),
        (("allow", "ACCOUNT"), "name the addresses"),
        (("allow", "ACCOUNT", "nonsense"), "no address or network"),
        (("terms", "ACCOUNT", "1", "--at", "yesterday"), "'yesterday' is no time"),
        (("terms", "ACCOUNT", "1", "--at", "2999-01-01"), "now or in the past"),
        (("restrict", "acc-nobody", "--reason", "x"), "there is no account acc-nobody"),
    ],
)
def test_what_cannot_be_done_says_why(cli: CommandLine, command: tuple[str, ...], told: str) -> None:
    account = cli.account()["account_id"]
    before = cli("account", "show", account, "--json").json
    done = cli("account", *(account if word == "ACCOUNT" else word for word in command), "--json")
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert cli("account", "show", account, "--json").json == before


def test_a_restriction_needs_a_reason(cli: CommandLine) -> None:
    assert cli("account", "restrict", cli.account()["account_id"]).code == 2
