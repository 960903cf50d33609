"""`account restrict`, `restore`, `allow`, `language`, `pull-reports`, `terms`: what a customer may do."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, show
from gateway.cli.key import AccountArgument, AnyOption, NetworksArgument, ReasonOption, wanted_networks
from gateway.cli.office import by, office
from gateway.errors import Invalid
from gateway.store import standing

DEFAULT_LANGUAGE = "default"


def register(app: typer.Typer) -> None:
    """Add the commands to `account`."""
    for name, command in (
        ("restrict", restrict),
        ("restore", restore),
        ("allow", allow),
        ("language", language_),
        ("pull-reports", pull_reports),
        ("terms", terms),
    ):
        app.command(name)(command)


def restrict(
    account: AccountArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept, never told to the customer.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Refuse everything ACCOUNT asks for with RetCode 173; what was accepted before goes on."""
    with office(config) as here:
        here.store.transaction(lambda c: standing.restrict(c, account, by(reason)))
    show({"account_id": account, "state": "restricted", "reason": reason.strip()}, json)


def restore(
    account: AccountArgument,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Let a restricted ACCOUNT work again."""
    with office(config) as here:
        here.store.transaction(lambda c: standing.restore(c, account, by(reason)))
    show({"account_id": account, "state": "active"}, json)


def allow(
    account: AccountArgument,
    networks: NetworksArgument = None,
    any_: AnyOption = False,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Let the keys of ACCOUNT be used from these addresses only; others get RetCode 294."""
    wanted = wanted_networks(networks, any_)
    with office(config) as here:
        allowed = here.store.transaction(lambda c: standing.allow_account(c, account, wanted, by(reason)))
    show({"account_id": account, "allowed": ", ".join(allowed) or "any"}, json)


def language_(
    account: AccountArgument,
    language: Annotated[
        str, typer.Argument(metavar="LANGUAGE", help="en, zh, or default: `[api] receipt_language`.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Word the receipts of ACCOUNT in this language."""
    wanted = None if language == DEFAULT_LANGUAGE else language
    with office(config) as here:
        here.store.transaction(lambda c: standing.set_language(c, account, wanted, by()))
    show({"account_id": account, "language": language}, json)


def pull_reports(
    account: AccountArgument,
    switch: Annotated[str, typer.Argument(metavar="on|off", help="Whether they are kept to be pulled.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Keep the final reports of ACCOUNT for three days, for it to fetch with PullUSMSReport."""
    if switch not in ("on", "off"):
        raise Invalid(f"{switch!r} is neither on nor off")
    with office(config) as here:
        here.store.transaction(lambda c: standing.set_pull_reports(c, account, switch == "on", by()))
    show({"account_id": account, "pull_reports": switch == "on"}, json)


def terms(
    account: AccountArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Of the terms of service: 2026-05")],
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="When it was accepted, ISO 8601; default: now.")
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Note that ACCOUNT accepted a version of the terms of service; a note is never changed."""
    given = _unix_ms(at) if at else None
    with office(config) as here:
        who = by()
        accepted_at = who.now_ms if given is None else given
        here.store.transaction(lambda c: standing.accept_terms(c, account, version, accepted_at, who))
    show({"account_id": account, "terms": version.strip(), "accepted": moment(accepted_at)}, json)


def _unix_ms(text: str) -> int:
    """Return a time of a command line; without a zone it is UTC. Raises `Invalid`."""
    try:
        time = datetime.fromisoformat(text)
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Invalid(f"{text!r} is no time: 2026-05-01 or 2026-05-01T12:00:00+08:00") from None
