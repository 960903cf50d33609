"""`operator`: who may use the admin API, and the tokens of their programs."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, show, show_rows
from gateway.cli.office import by, office
from gateway.domain.operator import BadOperator, Permission, Role, check_role
from gateway.errors import Invalid
from gateway.flow import operators as changes
from gateway.flow.operators import OneTime
from gateway.store import operators, sessions
from gateway.store.operators import Operator
from gateway.store.sessions import Token

app = typer.Typer(
    help="Operators of the admin API: make them, give them roles, shut them out.", no_args_is_help=True
)
tokens = typer.Typer(help="API tokens: programs that act as an operator.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")]
RoleArgument = Annotated[str, typer.Argument(metavar="ROLE", help=", ".join(Role))]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")]
EVERYBODY = 10_000


@app.command("create")
def create(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help=", ".join(Role))] = Role.VIEWER.value,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make an operator. The one-time password for the first log-in is shown now and never again."""
    wanted = _role(role)
    with office(config) as here:
        who = by(reason, Permission.OPERATORS_WRITE)
        one_time = OneTime.make(who.now_ms)
        made = here.store.transaction(lambda c: changes.create(c, name, wanted, one_time, who))
    show({**_row(made), "one_time_password": one_time.password}, json)


@app.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show every operator."""
    with office(config) as here:
        by(permission=Permission.OPERATORS_READ)
        found = here.store.read_now(lambda c: operators.page(c, EVERYBODY))
    show_rows([_row(operator) for operator in found], json)


@app.command("role")
def role_(
    name: NameArgument,
    role: RoleArgument,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give an operator another role; their tokens that may do more than it are revoked."""
    wanted = _role(role)
    with office(config) as here:
        who = by(reason, Permission.OPERATORS_WRITE)
        after = here.store.transaction(lambda c: changes.set_role(c, _named(name), wanted, who))
    show(_row(after), json)


@app.command("disable")
def disable(
    name: NameArgument,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Shut an operator out: sessions and tokens end at once."""
    _set_active(name, False, reason, config=config, json=json)


@app.command("enable")
def enable(
    name: NameArgument,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Let a disabled operator in again; what was ended stays so."""
    _set_active(name, True, reason, config=config, json=json)


@app.command("password")
def password(
    name: NameArgument,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give an operator a one-time password, shown now and never again; ends sessions, tokens and lock-out."""
    with office(config) as here:
        who = by(reason, Permission.OPERATORS_WRITE)
        one_time = OneTime.make(who.now_ms)
        reset = here.store.transaction(lambda c: changes.reset_password(c, _named(name), one_time, who))
    revoked = reset.tokens_revoked
    ended = {
        "sessions_ended": reset.sessions_ended,
        "tokens_revoked": revoked if json else ", ".join(revoked) or "none",
    }
    show({**_row(reset.operator), "one_time_password": one_time.password, **ended}, json)


@tokens.command("create")
def create_token(
    name: NameArgument,
    label: Annotated[str, typer.Option("--label", help="What it is for.")],
    role: Annotated[str, typer.Option("--role", help="At most the operator's, which is the default.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="Its life.")] = 90,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make a token that acts as NAME. It is shown now and never again."""
    with office(config) as here:
        who = by(reason, Permission.OPERATORS_WRITE)
        if days > here.settings.admin.token_max_days:
            raise Invalid(f"a token lives at most {here.settings.admin.token_max_days} days")
        owner = here.store.read_now(lambda c: operators.find(c, _named(name)))
        wanted = _role(role) if role else owner.role
        secret, made = here.store.transaction(
            lambda c: changes.create_token(c, owner.name, label, wanted, days, who)
        )
    show({"token": secret, **_token_row(made)}, json)


@tokens.command("list")
def list_tokens(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Whose; default: everybody's.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show tokens, newest first, without themselves."""
    with office(config) as here:
        by(permission=Permission.OPERATORS_READ)
        found = here.store.read_now(lambda c: sessions.list_tokens(c, _named(name)))
    show_rows([_token_row(token) for token in found], json)


@tokens.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="tok-…")],
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make a token worthless at once, for good."""
    with office(config) as here:
        who = by(reason, Permission.OPERATORS_WRITE)
        after = here.store.transaction(lambda c: changes.revoke_token(c, token, who))
    show(_token_row(after), json)


def _set_active(name: str, active: bool, reason: str, *, config: Path, json: bool) -> None:
    with office(config) as here:
        who = by(reason, Permission.OPERATORS_WRITE)
        after = here.store.transaction(lambda c: changes.set_active(c, _named(name), active, who))
    show(_row(after), json)


def _named(name: str) -> str:
    return name.strip().lower()


def _role(role: str) -> Role:
    try:
        return check_role(role)
    except BadOperator as error:
        raise Invalid(str(error)) from error


def _row(operator: Operator) -> dict[str, object]:
    return {
        "name": operator.name,
        "role": operator.role.value,
        "active": operator.active,
        "one_time_until": moment(operator.one_time_until),
        "last_login": moment(operator.last_login_at),
        "created": moment(operator.created_at),
        "created_by": operator.created_by,
    }


def _token_row(token: Token) -> dict[str, object]:
    return {
        "token_id": token.id,
        "operator": token.operator,
        "label": token.label,
        "role": token.role.value,
        "expires": moment(token.expires_at),
        "revoked": moment(token.revoked_at),
        "last_used": moment(token.used_at),
        "last_used_from": token.used_from,
    }


app.add_typer(tokens, name="token")
