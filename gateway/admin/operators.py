"""`/operators`: who may act, made and ended by admins."""

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import (
    Answer,
    Body,
    Paging,
    Reason,
    When,
    Why,
    Word,
    cursor_of,
    position_in,
    when,
    when_or_none,
)
from gateway.domain.operator import Permission, Role
from gateway.flow import operators as changes
from gateway.store import operators
from gateway.store.operators import Operator


class NewOperator(Body):
    """An operator to be made."""

    name: Word
    role: Role
    reason: Reason = ""


class RoleChange(Body):
    """Another role."""

    role: Role
    reason: Reason = ""


class OperatorView(Answer):
    """An operator."""

    name: str
    role: Role
    active: bool
    must_change_password: bool
    one_time_until: When | None
    created_at: When
    created_by: str
    password_changed_at: When
    last_login_at: When | None


class WithOneTimePassword(Answer):
    """An operator and the password for their next log-in, shown here and never again."""

    operator: OperatorView
    one_time_password: str
    expires_at: When


class Reset(WithOneTimePassword):
    """An operator with a new one-time password, and what of theirs was ended."""

    sessions_ended: int
    tokens_revoked: list[str]  # ids


class OperatorPage(Answer):
    """A page of operators, by name."""

    items: list[OperatorView]
    next: str | None


async def list_operators(call: Call, query: Paging) -> OperatorPage:
    """List the operators by name."""
    (after,) = position_in(query.cursor, str) or ("",)
    found = await call.read(lambda c: operators.page(c, query.limit + 1, after))
    shown = found[: query.limit]
    return OperatorPage(
        items=[_view(one) for one in shown],
        next=cursor_of(shown[-1].name) if len(found) > query.limit else None,
    )


async def show_operator(call: Call) -> OperatorView:
    """Show one operator."""
    return _view(await call.read(lambda c: operators.find(c, call.path["name"])))


async def create_operator(call: Call, body: NewOperator) -> WithOneTimePassword:
    """Make an operator, who logs in by a one-time password and then chooses another."""
    one_time = await call.services.logins.one_time()
    by = call.by(body.reason)
    made = await call.change(lambda c: changes.create(c, body.name, body.role, one_time, by))
    return WithOneTimePassword(
        operator=_view(made), one_time_password=one_time.password, expires_at=when(one_time.until)
    )


async def reset_password(call: Call, body: Why) -> Reset:
    """Give an operator a one-time password; their sessions and tokens end, and a lock-out of the name."""
    one_time = await call.services.logins.one_time()
    by, name = call.by(body.reason), call.path["name"]
    done = await call.change(lambda c: changes.reset_password(c, name, one_time, by))
    return Reset(
        operator=_view(done.operator),
        one_time_password=one_time.password,
        expires_at=when(one_time.until),
        sessions_ended=done.sessions_ended,
        tokens_revoked=done.tokens_revoked,
    )


async def change_role(call: Call, body: RoleChange) -> OperatorView:
    """Give an operator another role; their tokens that may do more than it are revoked."""
    by, name = call.by(body.reason), call.path["name"]
    return _view(await call.change(lambda c: changes.set_role(c, name, body.role, by)))


async def disable_operator(call: Call, body: Why) -> OperatorView:
    """Shut an operator out; their sessions and tokens end at once."""
    by, name = call.by(body.reason), call.path["name"]
    return _view(await call.change(lambda c: changes.set_active(c, name, False, by)))


async def enable_operator(call: Call, body: Why) -> OperatorView:
    """Let a disabled operator in again; ended sessions and tokens stay ended."""
    by, name = call.by(body.reason), call.path["name"]
    return _view(await call.change(lambda c: changes.set_active(c, name, True, by)))


def _view(operator: Operator) -> OperatorView:
    return OperatorView(
        name=operator.name,
        role=operator.role,
        active=operator.active,
        must_change_password=operator.one_time_until is not None,
        one_time_until=when_or_none(operator.one_time_until),
        created_at=when(operator.created_at),
        created_by=operator.created_by,
        password_changed_at=when(operator.password_changed_at),
        last_login_at=when_or_none(operator.last_login_at),
    )


ROUTES = (
    Route("GET", "/operators", Permission.OPERATORS_READ, list_operators),
    Route("POST", "/operators", Permission.OPERATORS_WRITE, create_operator, status=201),
    Route("GET", "/operators/{name}", Permission.OPERATORS_READ, show_operator),
    Route("POST", "/operators/{name}/password", Permission.OPERATORS_WRITE, reset_password),
    Route("POST", "/operators/{name}/role", Permission.OPERATORS_WRITE, change_role),
    Route("POST", "/operators/{name}/disable", Permission.OPERATORS_WRITE, disable_operator),
    Route("POST", "/operators/{name}/enable", Permission.OPERATORS_WRITE, enable_operator),
)
