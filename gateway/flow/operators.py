"""What happens to operators and their tokens: each function is the change with its audit, one transaction."""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway.auth.passwords import hash_password, one_time_password
from gateway.auth.tokens import digest, new_token
from gateway.domain.operator import SYSTEM, Actor, BadOperator, Role, check_name
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.store import audit, login_attempts, operators, sessions
from gateway.store.audit import By, Entry, State
from gateway.store.operators import NewPassword, Operator
from gateway.store.sessions import NewToken, Token

ONE_TIME_LIFE = 24 * 3_600_000  # ms a one-time password may wait for its log-in
FIRST_NAME = "admin"
MAX_LABEL = 64
MAX_TOKENS = 50  # usable ones of an operator
DAY = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class OneTime:
    """A password for one log-in, which must be followed by one of the operator's own."""

    password: str = field(repr=False)
    stored: NewPassword = field(repr=False)
    until: int  # unix ms

    @classmethod
    def make(cls, now_ms: int) -> "OneTime":
        """Return a fresh one; hashes, so not for the event loop, nor inside a transaction."""
        password, until = one_time_password(), now_ms + ONE_TIME_LIFE
        return cls(password, NewPassword(hash_password(password), until), until)


@dataclass(frozen=True, slots=True)
class Reset:
    """An operator with a new one-time password, and what of the old one's was ended."""

    operator: Operator
    sessions_ended: int
    tokens_revoked: list[str]  # ids


def first_admin(connection: Connection, one_time: OneTime, now_ms: int) -> bool:
    """Make `admin` if there is no operator at all; False: somebody was faster."""
    if operators.any_exists(connection):
        return False
    create(connection, FIRST_NAME, Role.ADMIN, one_time, By(SYSTEM, now_ms, "first start"))
    return True


def first_words(one_time: OneTime) -> str:
    """Return what the person who started the first gateway on a store is told."""
    return (
        f"operator {FIRST_NAME}, one-time password: {one_time.password}\n"
        "It is shown this once, is good for 24 hours, and must be changed at the first log-in. "
        f"A new one: scloud-sms operator password {FIRST_NAME}"
    )


def create(connection: Connection, name: str, role: Role, one_time: OneTime, by: By) -> Operator:
    """Add an operator who logs in by `one_time`; raises `Invalid`, `Conflict`, `Forbidden`."""
    try:
        name = check_name(name)
    except BadOperator as error:
        raise Invalid(str(error)) from error
    _check_reach(by.actor, role)
    operators.add(connection, name, role, one_time.stored, by.now_ms, created_by=by.actor.name)
    made = operators.find(connection, name)
    _record(connection, by, "operator.create", name, None, _state(made))
    return made


def reset_password(connection: Connection, name: str, one_time: OneTime, by: By) -> Reset:
    """Give the operator a one-time password; ends their sessions and tokens, and what keeps the name waiting.

    A password is reset when it is lost or somebody else has it, who may have made tokens as well.
    Raises `NotFound`, `Forbidden`.
    """
    before = operators.find(connection, name)
    _check_reach(by.actor, before.role)
    operators.set_password(connection, name, one_time.stored, by.now_ms)
    login_attempts.forget(connection, name)
    ended = sessions.end_sessions(connection, name)
    revoked = _revoke(connection, name, by.now_ms)
    after = operators.find(connection, name)
    told = {**_state(after), "sessions_ended": ended, "tokens_revoked": revoked}
    _record(connection, by, "operator.password", name, _state(before), told)
    return Reset(after, ended, revoked)


def change_own_password(connection: Connection, name: str, password_hash: str, by: By) -> None:
    """Put the operator's own password in place; ends all their sessions, no tokens. Raises `NotFound`."""
    before = operators.find(connection, name)
    operators.set_password(connection, name, NewPassword(password_hash), by.now_ms)
    ended = sessions.end_sessions(connection, name)
    after = {**_state(operators.find(connection, name)), "sessions_ended": ended}
    _record(connection, by, "operator.password", name, _state(before), after)


def set_role(connection: Connection, name: str, role: Role, by: By) -> Operator:
    """Give the operator another role; tokens that may do more than it are revoked.

    Raises `NotFound`, `Conflict` for the last active admin, `Forbidden`.
    """
    before = operators.find(connection, name)
    _check_reach(by.actor, before.role)
    _check_reach(by.actor, role)
    operators.set_role(connection, name, role)
    revoked = _revoke(connection, name, by.now_ms, keep=role)
    after = operators.find(connection, name)
    changed = {**_state(after), "tokens_revoked": revoked}
    _record(connection, by, "operator.role", name, _state(before), changed)
    return after


def set_active(connection: Connection, name: str, active: bool, by: By) -> Operator:
    """Let the operator in, or end their sessions and tokens at once.

    Raises `NotFound`, `Conflict` for the last active admin, `Forbidden`.
    """
    before = operators.find(connection, name)
    _check_reach(by.actor, before.role)
    operators.set_active(connection, name, active)
    ended: dict[str, object] = {}
    if not active:
        ended["sessions_ended"] = sessions.end_sessions(connection, name)
        ended["tokens_revoked"] = _revoke(connection, name, by.now_ms)
    after = operators.find(connection, name)
    action = "operator.enable" if active else "operator.disable"
    _record(connection, by, action, name, _state(before), {**_state(after), **ended})
    return after


def create_token(
    connection: Connection, owner: str, label: str, role: Role, days: int, by: By
) -> tuple[str, Token]:
    """Add a token that acts as `owner`, at most as `role`; return it, this once, and what is known of it.

    Raises `NotFound`, `Invalid`, `Conflict`, `Forbidden` if the role is more than the owner's or the actor's.
    """
    label = label.strip()
    if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
        raise Invalid(f"a token's label has 1 to {MAX_LABEL} printable characters")
    operator = operators.find(connection, owner)
    if not operator.active:
        raise Conflict(f"operator {owner} is disabled")
    _check_reach(by.actor, role)
    if not operator.role.covers(role):
        raise Forbidden(f"a token of {owner} can be no {role}: {owner} is {operator.role}")
    usable = [
        token
        for token in sessions.list_tokens(connection, owner)
        if token.revoked_at is None and token.expires_at > by.now_ms
    ]
    if len(usable) >= MAX_TOKENS:
        raise Conflict(f"{owner} has {MAX_TOKENS} tokens already: revoke one")
    secret = new_token()
    new = NewToken(
        token_hash=digest(secret), operator=owner, label=label, role=role, expires_at=by.now_ms + days * DAY
    )
    made = sessions.add_token(connection, new, by.now_ms)
    _record_token(connection, by, "token.create", made, None, _token_state(made))
    return secret, made


def revoke_token(connection: Connection, id_: str, by: By, owner: str = "") -> Token:
    """Make a token worthless at once; again changes nothing. Raises `NotFound`, also if not `owner`'s."""
    before = sessions.token_by_id(connection, id_)
    if owner and before.operator != owner:
        raise NotFound(f"there is no token {id_}")
    if not sessions.revoke_token(connection, id_, by.now_ms):
        return before
    after = sessions.token_by_id(connection, id_)
    _record_token(connection, by, "token.revoke", after, _token_state(before), _token_state(after))
    return after


def _check_reach(actor: Actor, role: Role) -> None:
    """Refuse what would give away, or take from somebody, more than the actor has."""
    if not actor.role.covers(role):
        raise Forbidden(f"{actor.name} is {actor.role} and has no say over a {role}")


def _revoke(connection: Connection, name: str, now_ms: int, keep: Role | None = None) -> list[str]:
    """Revoke the operator's tokens but those within `keep`; return their ids."""
    return [
        token.id
        for token in sessions.list_tokens(connection, name)
        if (keep is None or not keep.covers(token.role))
        and sessions.revoke_token(connection, token.id, now_ms)
    ]


def _state(operator: Operator) -> dict[str, object]:
    return {
        "role": operator.role.value,
        "active": operator.active,
        "must_change": operator.one_time_until is not None,
    }


def _token_state(token: Token) -> dict[str, object]:
    return {
        "operator": token.operator,
        "label": token.label,
        "role": token.role.value,
        "expires_at": token.expires_at,
        "revoked": token.revoked_at is not None,
    }


def _record(
    connection: Connection, by: By, action: str, name: str, before: State | None, after: State | None
) -> None:
    audit.record(connection, by.actor, Entry(action, "operator", name, before, after, by.reason), by.now_ms)


def _record_token(
    connection: Connection, by: By, action: str, token: Token, before: State | None, after: State
) -> None:
    entry = Entry(action, "token", token.id, before, after, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)
