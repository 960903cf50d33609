"""`/accounts/…/keys`, `/keys`: a customer's API keys, and from where they may be used."""

from pydantic import Field

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Body, Reason, When, Why, when, when_or_none
from gateway.auth.keys import KeyPair
from gateway.domain.operator import Permission
from gateway.store import keys
from gateway.store.keys import KeySummary


class NewKey(Body):
    """A key pair to be made."""

    name: str = ""
    reason: Reason = ""


class Rotation(Body):
    """A key pair to be made in the place of another."""

    overlap: int = Field(0, description="Seconds the old key stays good; 0: it is refused at once.")
    reason: Reason = ""


class Networks(Body):
    """Addresses and networks that are let in; empty: any."""

    allowed: list[str]
    reason: Reason = ""


class MadeKey(Answer):
    """A key pair just made; the private key is shown here and never again."""

    public_key: str
    private_key: str


class KeyView(Answer):
    """A key; its last use is at most a minute old."""

    public_key: str
    account_id: str
    name: str
    state: str  # active | retiring | disabled | replaced
    allowed: list[str]
    created_at: When
    retires_at: When | None
    replaced_by: str | None
    used_at: When | None
    used_from: str | None


class KeyList(Answer):
    """Every key an account ever had, oldest first."""

    items: list[KeyView]


class KeyState(Answer):
    """A key just switched on or off."""

    public_key: str
    state: str


class Allowed(Answer):
    """The addresses and networks that are let in, in their one form."""

    allowed: list[str]


async def list_keys(call: Call) -> KeyList:
    """List an account's keys with their last use, oldest first."""
    account_id, now_ms = call.path["account_id"], call.services.clock.now_ms()
    found = await call.read(lambda c: keys.list_keys(c, account_id, now_ms))
    return KeyList(items=[_view(key) for key in found])


async def create_key(call: Call, body: NewKey) -> MadeKey:
    """Give an account another key pair."""
    by, keyring, id_ = call.by(body.reason), call.services.keyring, call.path["account_id"]
    return _made(await call.change(lambda c: keys.create_key(c, keyring, id_, body.name, by)))


async def rotate_key(call: Call, body: Rotation) -> MadeKey:
    """Make a key pair in the place of another, with its name and allow-list; the old one never comes back."""
    by, keyring, key = call.by(body.reason), call.services.keyring, call.path["public_key"]
    return _made(await call.change(lambda c: keys.rotate_key(c, keyring, key, body.overlap * 1000, by)))


async def disable_key(call: Call, body: Why) -> KeyState:
    """Refuse requests signed with a key."""
    by, key = call.by(body.reason), call.path["public_key"]
    await call.change(lambda c: keys.enable_key(c, key, active=False, by=by))
    return KeyState(public_key=key, state="disabled")


async def enable_key(call: Call, body: Why) -> KeyState:
    """Take requests signed with a key again; not if it was replaced."""
    by, key = call.by(body.reason), call.path["public_key"]
    await call.change(lambda c: keys.enable_key(c, key, active=True, by=by))
    return KeyState(public_key=key, state="active")


async def allow_key(call: Call, body: Networks) -> Allowed:
    """Let a key be used from these addresses only; others get RetCode 294."""
    by, key = call.by(body.reason), call.path["public_key"]
    return Allowed(allowed=list(await call.change(lambda c: keys.allow_key(c, key, body.allowed, by))))


def _made(pair: KeyPair) -> MadeKey:
    return MadeKey(public_key=pair.public_key, private_key=pair.private_key)


def _view(key: KeySummary) -> KeyView:
    return KeyView(
        public_key=key.public_key,
        account_id=key.account_id,
        name=key.name,
        state=key.state,
        allowed=list(key.allowed),
        created_at=when(key.created_at),
        retires_at=when_or_none(key.retires_at),
        replaced_by=key.replaced_by,
        used_at=when_or_none(key.used_at),
        used_from=key.used_from,
    )


ROUTES = (
    Route("GET", "/accounts/{account_id}/keys", Permission.ACCOUNTS_READ, list_keys),
    Route("POST", "/accounts/{account_id}/keys", Permission.ACCOUNTS_WRITE, create_key, status=201),
    Route("POST", "/keys/{public_key}/rotate", Permission.ACCOUNTS_WRITE, rotate_key, status=201),
    Route("POST", "/keys/{public_key}/disable", Permission.ACCOUNTS_WRITE, disable_key),
    Route("POST", "/keys/{public_key}/enable", Permission.ACCOUNTS_WRITE, enable_key),
    Route("PUT", "/keys/{public_key}/allowed", Permission.ACCOUNTS_WRITE, allow_key),
)
