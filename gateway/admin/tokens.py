"""`/tokens`: API tokens for programs that act as an operator."""

from pydantic import Field

from gateway.admin.call import Call
from gateway.admin.problem import refused
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Body, Line, Query, Reason, When, Word, when, when_or_none
from gateway.domain.operator import Permission, Role
from gateway.errors import Invalid
from gateway.flow import operators as changes
from gateway.store import sessions
from gateway.store.sessions import Token

DEFAULT_DAYS = 90


class NewToken(Body):
    """A token to be made."""

    label: Line
    role: Role
    days: int = Field(DEFAULT_DAYS, ge=1, description="Its life; [admin] token_max_days is the most.")
    reason: Reason = ""


class TokenFilter(Query):
    """Whose tokens; "": one's own. Others' are for those who may read operators."""

    operator: Word = ""


class TokenView(Answer):
    """A token, without itself."""

    id: str
    operator: str
    label: str
    role: Role
    created_at: When
    expires_at: When
    revoked_at: When | None
    last_used_at: When | None
    last_used_from: str | None


class MadeToken(Answer):
    """A token just made, shown here and never again."""

    token: str
    details: TokenView


class TokenList(Answer):
    """Tokens, newest first, the ended ones too."""

    items: list[TokenView]


async def list_tokens(call: Call, query: TokenFilter) -> TokenList:
    """List one's own tokens, or those of another operator."""
    owner = query.operator.strip().lower() or call.actor.name
    if owner != call.actor.name and not call.may(Permission.OPERATORS_READ):
        raise refused("only one's own tokens, without operators:read")
    return TokenList(items=[_view(one) for one in await call.read(lambda c: sessions.list_tokens(c, owner))])


async def create_token(call: Call, body: NewToken) -> MadeToken:
    """Make a token that acts as oneself, with the same role or less; tokens make no tokens."""
    if not call.who.session:
        raise refused("this takes a session: tokens make no tokens")
    longest = call.services.token_max_days
    if body.days > longest:
        raise Invalid(f"a token lives at most {longest} days")
    by, owner = call.by(body.reason), call.actor.name
    secret, made = await call.change(
        lambda c: changes.create_token(c, owner, body.label, body.role, body.days, by)
    )
    return MadeToken(token=secret, details=_view(made))


async def revoke_token(call: Call) -> TokenView:
    """Revoke one of one's own tokens, or with operators:write anybody's; at once, and for good."""
    owner = "" if call.may(Permission.OPERATORS_WRITE) else call.actor.name
    by, id_ = call.by(), call.path["token_id"]
    return _view(await call.change(lambda c: changes.revoke_token(c, id_, by, owner)))


def _view(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        operator=token.operator,
        label=token.label,
        role=token.role,
        created_at=when(token.created_at),
        expires_at=when(token.expires_at),
        revoked_at=when_or_none(token.revoked_at),
        last_used_at=when_or_none(token.used_at),
        last_used_from=token.used_from,
    )


ROUTES = (
    Route("GET", "/tokens", Permission.SELF, list_tokens),
    Route("POST", "/tokens", Permission.SELF, create_token, status=201),
    Route("DELETE", "/tokens/{token_id}", Permission.SELF, revoke_token),
)
