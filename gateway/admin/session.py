"""`/login`, `/logout`, `/me`, `/password`: one's own way in."""

from gateway.admin.call import Call
from gateway.admin.problem import refused
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Body, Secret, When, Word
from gateway.auth.tokens import csrf_of, digest
from gateway.domain.operator import PERMISSIONS, ActorKind, Permission, Role


class Login(Body):
    """Who logs in."""

    name: Word
    password: Secret


class PasswordChange(Body):
    """One's own password, and the one to replace it."""

    current: Secret
    new: Secret


class SessionView(Answer):
    """A session just begun; its id is in the cookie alone."""

    name: str
    role: Role
    csrf_token: str  # to be sent as X-CSRF-Token with everything but GET
    must_change_password: bool  # nothing but /me, /password and /logout works before


class Me(Answer):
    """Who asks, and what they may do."""

    name: str
    kind: ActorKind
    role: Role
    permissions: list[Permission]
    token_id: str | None
    csrf_token: str | None  # None with an API token, which needs none
    must_change_password: bool
    server_time: When


async def login(call: Call, body: Login) -> SessionView:
    """Begin a session by name and password.

    The session's id comes as a cookie (HttpOnly, SameSite=Strict, Secure behind TLS). Whatever is wrong, the
    answer is the same 401; after too many failures of a name or an address it is 429 with Retry-After.
    """
    opened = await call.services.logins.login(body.name, body.password, call.address, call.old_session)
    call.new_session = opened.secret
    return SessionView(
        name=opened.operator.name,
        role=opened.operator.role,
        csrf_token=csrf_of(opened.secret),
        must_change_password=opened.operator.one_time_until is not None,
    )


async def logout(call: Call) -> None:
    """End this session."""
    session = _session(call)
    await call.services.logins.logout(call.actor, digest(session))
    call.new_session = ""


async def me(call: Call) -> Me:
    """Say who asks and what they may do; a page that was loaded anew gets its CSRF token here."""
    actor = call.actor
    return Me(
        name=actor.name,
        kind=actor.kind,
        role=actor.role,
        permissions=sorted(PERMISSIONS[actor.role]),
        token_id=actor.via or None,
        csrf_token=csrf_of(call.who.session) if call.who.session else None,
        must_change_password=call.who.must_change,
        server_time=call.now(),
    )


async def change_password(call: Call, body: PasswordChange) -> SessionView:
    """Replace one's own password; every session of the operator ends, and this one goes on under a new id."""
    _session(call)
    opened = await call.services.logins.change_password(call.actor, body.current, body.new)
    call.new_session = opened.secret
    return SessionView(
        name=opened.operator.name,
        role=opened.operator.role,
        csrf_token=csrf_of(opened.secret),
        must_change_password=False,
    )


def _session(call: Call) -> str:
    if not call.who.session:
        raise refused("this takes a session: an API token has neither log-out nor password")
    return call.who.session


ROUTES = (
    Route("POST", "/login", None, login),
    Route("POST", "/logout", Permission.SELF, logout, before_change=True),
    Route("GET", "/me", Permission.SELF, me, before_change=True),
    Route("POST", "/password", Permission.SELF, change_password, before_change=True),
)
