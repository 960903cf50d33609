"""Who changes things, and what each role may do. The whole of the rules is the table `PERMISSIONS`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}", re.ASCII)
RESERVED_NAMES = frozenset({"system"})  # the gateway's own entries in the audit
MIN_PASSWORD, MAX_PASSWORD = 12, 256  # characters; the upper bound keeps hashing cheap


class Permission(StrEnum):
    """One thing a role allows; endpoints and commands ask for exactly one."""

    SELF = "self"  # one's own session, password and tokens
    STATUS_READ = "status:read"  # channels, queues
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"  # make, call back, restrict; projects and API keys
    MONEY_WRITE = "money:write"
    MESSAGES_READ = "messages:read"  # with numbers masked
    NUMBERS_READ = "numbers:read"  # numbers in clear
    REVIEW_READ = "review:read"
    REVIEW_DECIDE = "review:decide"
    RISK_READ = "risk:read"
    RISK_WRITE = "risk:write"
    NETWORK_READ = "network:read"
    NETWORK_WRITE = "network:write"
    STATISTICS_READ = "statistics:read"
    AUDIT_READ = "audit:read"
    OPERATORS_READ = "operators:read"
    OPERATORS_WRITE = "operators:write"


class Role(StrEnum):
    """What an operator is here for."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    FINANCE = "finance"
    ADMIN = "admin"

    def may(self, permission: Permission) -> bool:
        """Whether this role allows `permission`."""
        return permission in PERMISSIONS[self]

    def covers(self, other: "Role") -> bool:
        """Whether this role allows all that `other` does."""
        return PERMISSIONS[other] <= PERMISSIONS[self]


_VIEWER = frozenset(
    {
        Permission.SELF,
        Permission.STATUS_READ,
        Permission.ACCOUNTS_READ,
        Permission.MESSAGES_READ,
        Permission.REVIEW_READ,
        Permission.RISK_READ,
        Permission.NETWORK_READ,
        Permission.STATISTICS_READ,
    }
)
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _VIEWER
    | {
        Permission.ACCOUNTS_WRITE,
        Permission.NUMBERS_READ,
        Permission.RISK_WRITE,
        Permission.NETWORK_WRITE,
        Permission.AUDIT_READ,
    },
    Role.REVIEWER: _VIEWER | {Permission.REVIEW_DECIDE},
    Role.FINANCE: _VIEWER | {Permission.MONEY_WRITE, Permission.AUDIT_READ},
    Role.ADMIN: frozenset(Permission),
}


class ActorKind(StrEnum):
    """Through which door somebody acts."""

    OPERATOR = "operator"  # a session of the admin API
    TOKEN = "token"  # an operator's API token
    CLI = "cli"
    SYSTEM = "system"  # the gateway itself
    CUSTOMER = "customer"  # the customer API; named by the account's id


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, as the audit remembers it."""

    name: str  # the operator's; `cli:USER` for a command nobody put a name to
    kind: ActorKind
    role: Role
    address: str = ""  # of the client; "" for what acts on the machine itself
    via: str = ""  # the token's id, USER@HOST that ran the command, or the customer's request

    def may(self, permission: Permission) -> bool:
        """Whether the actor's role allows `permission`."""
        return self.role.may(permission)


SYSTEM = Actor("system", ActorKind.SYSTEM, Role.ADMIN)


def customer(account_id: str, request_id: str) -> Actor:
    """Return the customer as an actor; no operators' door ever sees one, so the role opens nothing."""
    return Actor(account_id, ActorKind.CUSTOMER, Role.VIEWER, via=request_id)


class BadOperator(ValueError):
    """A name, role or password that cannot be used; says why."""


def check_name(name: str) -> str:
    """Return the operator's name in its one form; raises `BadOperator`."""
    name = name.strip().lower()
    if _NAME.fullmatch(name) is None or name in RESERVED_NAMES:
        raise BadOperator(
            "an operator's name has 2 to 32 letters a-z, digits, dots, dashes or underscores, a letter first"
        )
    return name


def check_role(role: str) -> Role:
    """Return the role of this name; raises `BadOperator`."""
    try:
        return Role(role.strip().lower())
    except ValueError:
        raise BadOperator(f"{role!r} is no role: {', '.join(Role)}") from None


def check_password(password: str, name: str) -> None:
    """Raise `BadOperator` unless `password` may be the operator's own."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadOperator(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if len(set(password)) < MIN_PASSWORD // 2 or name in password.lower():
        raise BadOperator("a password repeats neither a few characters nor the operator's name")
