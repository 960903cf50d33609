"""Who asks: an API token in `Authorization`, or the session in the cookie with the CSRF token beside it."""

from aiohttp import web

from gateway.admin.call import Principal, Services
from gateway.admin.problem import credentials_needed, refused
from gateway.admin.route import Route
from gateway.auth.tokens import TOKEN_PREFIX, csrf_of, digest, same
from gateway.domain.operator import Actor, ActorKind
from gateway.store import sessions
from gateway.store.sessions import USE_IS_NOTED_EVERY
from gateway.web.problem import Problem

COOKIE = "scloud_session"
CSRF_HEADER = "X-CSRF-Token"
LONGEST_SECRET = 200  # nothing we gave out is longer; not worth a look-up


async def authenticate(request: web.Request, services: Services, address: str) -> Principal:
    """Return who asks; raises `Problem` 401."""
    given = request.headers.get("Authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer":
            raise credentials_needed("Authorization must be: Bearer TOKEN")
        return await _by_token(token.strip(), services, address)
    return await _by_session(request.cookies.get(COOKIE, ""), services, address)


def check(request: web.Request, route: Route, who: Principal, services: Services) -> None:
    """Raise `Problem` 403 unless `who` may make this request of this endpoint."""
    if who.must_change and not route.before_change:
        raise _denied(
            services, "password_change", "password-change-required", "choose a password of your own first"
        )
    if route.permission is None or not who.actor.may(route.permission):
        services.metrics.denials.add(1, "permission")
        raise refused(f"{who.actor.role} has no {route.permission}")
    if who.session and route.changes:
        given = request.headers.get(CSRF_HEADER, "")
        if not same(given, csrf_of(who.session)):
            raise _denied(services, "csrf", "csrf", f"{CSRF_HEADER} must be the csrf_token of this session")


def _denied(services: Services, reason: str, code: str, detail: str) -> Problem:
    services.metrics.denials.add(1, reason)
    return Problem(403, code, "Not allowed", detail)


async def _by_token(token: str, services: Services, address: str) -> Principal:
    now_ms = services.clock.now_ms()
    if token.startswith(TOKEN_PREFIX) and len(token) <= LONGEST_SECRET:
        found = await services.store.read(lambda c: sessions.find_token(c, digest(token), now_ms))
        if found is not None:
            known, owner = found
            if known.used_at is None or abs(now_ms - known.used_at) >= USE_IS_NOTED_EVERY:
                await services.store.write(lambda c: sessions.token_used(c, known.id, address, now_ms))
            actor = Actor(owner.name, ActorKind.TOKEN, known.role, address, via=known.id)
            return Principal(actor)
    services.metrics.denials.add(1, "credentials")
    raise credentials_needed("this token is unknown, expired or revoked")


async def _by_session(secret: str, services: Services, address: str) -> Principal:
    now_ms, limits = services.clock.now_ms(), services.logins.limits
    if 0 < len(secret) <= LONGEST_SECRET:
        id_hash = digest(secret)
        found = await services.store.read(lambda c: sessions.find_session(c, id_hash, limits, now_ms))
        if found is not None:
            if abs(now_ms - found.used_at) >= min(USE_IS_NOTED_EVERY, limits.idle // 4):
                await services.store.write(lambda c: sessions.session_used(c, id_hash, now_ms))
            operator = found.operator
            actor = Actor(operator.name, ActorKind.OPERATOR, operator.role, address)
            return Principal(actor, secret, must_change=operator.one_time_until is not None)
    services.metrics.denials.add(1, "credentials")
    raise credentials_needed(
        "log in: there is no session, or it has ended" if secret else "log in, or send an API token"
    )
