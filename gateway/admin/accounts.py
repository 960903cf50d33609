"""`/accounts`: customers, their credit and where their reports go."""

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import (
    Answer,
    Body,
    Line,
    Money,
    Paging,
    Reason,
    When,
    cursor_of,
    position_in,
    when,
)
from gateway.domain.money import format_amount, parse_amount
from gateway.domain.operator import Permission
from gateway.errors import Invalid
from gateway.flow import operate
from gateway.store import accounts, standing
from gateway.store.accounts import AccountSummary


class NewAccount(Body):
    """A customer to be made."""

    name: Line
    reason: Reason = ""


class Credit(Body):
    """Money to be added."""

    amount: Money
    note: Reason = ""  # kept in the ledger: an invoice number, a reason


class Debit(Body):
    """Money to be taken back."""

    amount: Money
    reason: Line  # kept in the ledger and the audit


class Callback(Body):
    """Where status reports are posted; null: nowhere."""

    url: str | None
    reason: Reason = ""


class Restriction(Body):
    """Why every request of an account is refused, or no longer."""

    reason: Line


class Pulling(Body):
    """Whether final reports are kept for the account to pull."""

    pull_reports: bool
    reason: Reason = ""


class AccountView(Answer):
    """A customer and their money."""

    id: str
    name: str
    state: str  # active | restricted
    state_reason: str
    default_project_id: str
    callback_url: str | None
    pull_reports: bool
    currency: str
    available: Money
    reserved: Money
    charged: Money
    created_at: When


class MadeAccount(Answer):
    """A customer just made; the private key is shown here and never again."""

    account_id: str
    project_id: str
    public_key: str
    private_key: str


class AccountPage(Answer):
    """A page of accounts, oldest first."""

    items: list[AccountView]
    next: str | None


async def list_accounts(call: Call, query: Paging) -> AccountPage:
    """List the accounts, oldest first."""
    after = position_in(query.cursor, int, str)
    found = await call.read(lambda c: accounts.page_accounts(c, query.limit + 1, after))
    shown = found[: query.limit]
    last = shown[-1] if len(found) > query.limit else None
    return AccountPage(
        items=[_view(one, call.services.currency) for one in shown],
        next=cursor_of(last.created_at, last.account_id) if last else None,
    )


async def show_account(call: Call) -> AccountView:
    """Show one account."""
    (found,) = await call.read(lambda c: accounts.list_accounts(c, call.path["account_id"]))
    return _view(found, call.services.currency)


async def create_account(call: Call, body: NewAccount) -> MadeAccount:
    """Make an account with a project and a key pair."""
    by, keyring = call.by(body.reason), call.services.keyring
    made = await call.change(lambda c: operate.create_account(c, keyring, body.name, by))
    return MadeAccount(
        account_id=made.account_id,
        project_id=made.project_id,
        public_key=made.public_key,
        private_key=made.private_key,
    )


async def credit_account(call: Call, body: Credit) -> AccountView:
    """Add to what an account can spend. Send an Idempotency-Key, so that a repeated request adds nothing."""
    micro = _micro(body.amount)
    by, id_ = call.by(body.note), call.path["account_id"]
    return _view(await call.change(lambda c: operate.credit(c, id_, micro, by)), call.services.currency)


async def debit_account(call: Call, body: Debit) -> AccountView:
    """Take back of what an account can spend, never more (409). Send an Idempotency-Key, as for credits."""
    micro = _micro(body.amount)
    by, id_ = call.by(body.reason), call.path["account_id"]
    return _view(await call.change(lambda c: operate.debit(c, id_, micro, by)), call.services.currency)


async def set_callback(call: Call, body: Callback) -> AccountView:
    """Send an account's status reports to another URL from now on."""
    by, id_ = call.by(body.reason), call.path["account_id"]
    after = await call.change(lambda c: operate.set_callback(c, id_, body.url, by))
    return _view(after, call.services.currency)


async def set_pull_reports(call: Call, body: Pulling) -> AccountView:
    """Keep an account's final reports for three days, for it to fetch with PullUSMSReport, or no longer."""
    by, id_ = call.by(body.reason), call.path["account_id"]
    await call.change(lambda c: standing.set_pull_reports(c, id_, body.pull_reports, by))
    return await show_account(call)


async def restrict_account(call: Call, body: Restriction) -> AccountView:
    """Refuse every request of an account (RetCode 173) until it is restored; what was accepted goes on."""
    by, id_ = call.by(body.reason), call.path["account_id"]
    await call.change(lambda c: standing.restrict(c, id_, by))
    return await show_account(call)


async def restore_account(call: Call, body: Restriction) -> AccountView:
    """Let a restricted account work again."""
    by, id_ = call.by(body.reason), call.path["account_id"]
    await call.change(lambda c: standing.restore(c, id_, by))
    return await show_account(call)


def _micro(amount: str) -> int:
    try:
        return parse_amount(amount)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _view(account: AccountSummary, currency: str) -> AccountView:
    return AccountView(
        id=account.account_id,
        name=account.name,
        state=account.state,
        state_reason=account.state_reason,
        default_project_id=account.project_id,
        callback_url=account.callback_url,
        pull_reports=account.pull_reports,
        currency=currency,
        available=format_amount(account.available),
        reserved=format_amount(account.reserved),
        charged=format_amount(account.captured),
        created_at=when(account.created_at),
    )


ROUTES = (
    Route("GET", "/accounts", Permission.ACCOUNTS_READ, list_accounts),
    Route("POST", "/accounts", Permission.ACCOUNTS_WRITE, create_account, status=201),
    Route("GET", "/accounts/{account_id}", Permission.ACCOUNTS_READ, show_account),
    Route("POST", "/accounts/{account_id}/credit", Permission.MONEY_WRITE, credit_account),
    Route("POST", "/accounts/{account_id}/debit", Permission.MONEY_WRITE, debit_account),
    Route("PUT", "/accounts/{account_id}/callback", Permission.ACCOUNTS_WRITE, set_callback),
    Route("PUT", "/accounts/{account_id}/pull-reports", Permission.ACCOUNTS_WRITE, set_pull_reports),
    Route("POST", "/accounts/{account_id}/restrict", Permission.ACCOUNTS_WRITE, restrict_account),
    Route("POST", "/accounts/{account_id}/restore", Permission.ACCOUNTS_WRITE, restore_account),
)
