"""`account`: customers, their credit and where their status reports go."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Connection

from gateway.cli import standing
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, show, show_rows
from gateway.cli.notice import NOT_NOTICED, await_notice
from gateway.cli.office import by, office
from gateway.domain.money import format_amount, parse_amount
from gateway.domain.operator import Permission
from gateway.errors import Invalid
from gateway.flow import operate
from gateway.store import accounts, revisions
from gateway.store.accounts import AccountSummary

app = typer.Typer(help="Customers: make them, give them credit, set their callback.", no_args_is_help=True)

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id (acc-…).")]
AmountArgument = Annotated[
    str, typer.Argument(metavar="AMOUNT", help="Decimal, in the settings' currency: 100 or 0.5")
]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the customer is called.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make an account with a project and a key pair. The private key is shown now and never again."""
    with office(config) as here:
        keyring = here.keyring()
        made = here.store.transaction(lambda c: operate.create_account(c, keyring, name, by()))
    show(asdict(made), json)


@app.command("credit")
def credit(
    account: AccountArgument,
    amount: AmountArgument,
    note: Annotated[str, typer.Option(help="Kept in the ledger: an invoice number, a reason.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Add AMOUNT to what ACCOUNT can spend."""
    micro = _micro(amount)
    with office(config) as here:
        who = by(note, Permission.MONEY_WRITE)
        after = here.store.transaction(lambda c: operate.credit(c, account, micro, who))
        currency = here.settings.delivery.currency
    show(
        {
            "account_id": account,
            "credited": format_amount(micro),
            "available": format_amount(after.available),
            "currency": currency,
        },
        json,
    )


@app.command("debit")
def debit(
    account: AccountArgument,
    amount: AmountArgument,
    reason: Annotated[str, typer.Option("--reason", help="Kept in the ledger and the audit.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Take AMOUNT back of what ACCOUNT can spend; refused if that is less, for what is reserved stays."""
    micro = _micro(amount)
    with office(config) as here:
        who = by(reason, Permission.MONEY_WRITE)

        def work(connection: Connection) -> tuple[AccountSummary, int]:
            after = operate.debit(connection, account, micro, who)
            return after, revisions.current(connection)[revisions.MONEY]

        after, revision = here.store.transaction(work)
        noticed = await_notice(here, revisions.MONEY, revision)
        currency = here.settings.delivery.currency
    if not noticed:
        print(NOT_NOTICED, file=sys.stderr)
    show(
        {
            "account_id": account,
            "debited": format_amount(micro),
            "available": format_amount(after.available),
            "currency": currency,
        },
        json,
    )


@app.command("callback")
def callback(
    account: AccountArgument,
    url: Annotated[
        str, typer.Argument(metavar="URL", help='Where status reports are posted; "" for nowhere.')
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Send ACCOUNT's status reports to URL from now on."""
    with office(config) as here:
        here.store.transaction(lambda c: operate.set_callback(c, account, url or None, by(reason)))
    show({"account_id": account, "callback_url": url or None}, json)


@app.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show every account and its money."""
    with office(config) as here:
        found = here.store.read_now(accounts.list_accounts)
    show_rows([_row(account) for account in found], json)


@app.command("show")
def show_(account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show one account and its money."""
    with office(config) as here:
        (found,) = here.store.read_now(lambda c: accounts.list_accounts(c, account))
        currency = here.settings.delivery.currency
    show({**_row(found), "currency": currency}, json)


standing.register(app)


def _micro(amount: str) -> int:
    try:
        return parse_amount(amount)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _row(account: AccountSummary) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "state": account.state,
        "project_id": account.project_id,
        "available": format_amount(account.available),
        "reserved": format_amount(account.reserved),
        "charged": format_amount(account.captured),
        "callback_url": account.callback_url,
        "pull_reports": account.pull_reports,
        "created": moment(account.created_at),
        "restricted_because": account.state_reason or None,
        "language": account.language,
        "allowed": account.allowed or None,
        "terms": account.terms,
    }
