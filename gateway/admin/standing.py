"""`/accounts/…`: from where its keys may be used, in which language it is told, which terms it accepted."""

from gateway.admin.call import Call
from gateway.admin.keys import Allowed, Networks
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Body, Line, Reason, When, unix_ms, when
from gateway.domain.operator import Permission
from gateway.store import accounts, standing


class Language(Body):
    """The language of receipts: en or zh; null: as the settings say."""

    language: str | None
    reason: Reason = ""


class Terms(Body):
    """Terms of service that were accepted; without a time: now."""

    version: Line
    accepted_at: When | None = None
    reason: Reason = ""


class StandingView(Answer):
    """What an account may do, beside its money."""

    account_id: str
    state: str  # active | restricted
    state_reason: str
    allowed: list[str]  # addresses and networks its keys may be used from; empty: any
    language: str | None
    terms: str | None  # the version accepted last


class AcceptedTerms(Answer):
    """A note that is never changed."""

    version: str
    accepted_at: When


async def show_standing(call: Call) -> StandingView:
    """Show what an account may do."""
    (found,) = await call.read(lambda c: accounts.list_accounts(c, call.path["account_id"]))
    return StandingView(
        account_id=found.account_id,
        state=found.state,
        state_reason=found.state_reason,
        allowed=found.allowed.split(",") if found.allowed else [],
        language=found.language,
        terms=found.terms,
    )


async def allow_account(call: Call, body: Networks) -> Allowed:
    """Let all keys of an account be used from these addresses only; others get RetCode 294."""
    by, id_ = call.by(body.reason), call.path["account_id"]
    return Allowed(
        allowed=list(await call.change(lambda c: standing.allow_account(c, id_, body.allowed, by)))
    )


async def set_language(call: Call, body: Language) -> StandingView:
    """Word an account's receipts in another language from now on."""
    by, id_ = call.by(body.reason), call.path["account_id"]
    await call.change(lambda c: standing.set_language(c, id_, body.language, by))
    return await show_standing(call)


async def accept_terms(call: Call, body: Terms) -> AcceptedTerms:
    """Note that an account accepted a version of the terms of service, and when."""
    by, id_ = call.by(body.reason), call.path["account_id"]
    at = unix_ms(body.accepted_at) or by.now_ms
    await call.change(lambda c: standing.accept_terms(c, id_, body.version, at, by))
    return AcceptedTerms(version=body.version, accepted_at=when(at))


ROUTES = (
    Route("GET", "/accounts/{account_id}/standing", Permission.ACCOUNTS_READ, show_standing),
    Route("PUT", "/accounts/{account_id}/allowed", Permission.ACCOUNTS_WRITE, allow_account),
    Route("PUT", "/accounts/{account_id}/language", Permission.ACCOUNTS_WRITE, set_language),
    Route("POST", "/accounts/{account_id}/terms", Permission.ACCOUNTS_WRITE, accept_terms, status=201),
)
