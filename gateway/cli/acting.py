"""As whom a command acts: the operator named by `--as` or SCLOUD_OPERATOR, else whoever runs it here.

Who may run commands can read the store and the master key, so a name is no proof. It says whose decision this
is, and its role is held to; the user and the machine are kept in the audit beside it, whatever is named.
"""

import functools
import getpass
import inspect
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import typer

from gateway.domain.operator import Actor, ActorKind, Permission, Role
from gateway.errors import Forbidden, NotFound
from gateway.store import operators
from gateway.store.engine import Store

VARIABLE = "SCLOUD_OPERATOR"

AsOption = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        envvar=VARIABLE,
        help="The operator whose decision this is; their role counts. Default: cli:USER, who may do all.",
    ),
]

_name: ContextVar[str] = ContextVar("name", default="")
_actor: ContextVar[Actor] = ContextVar("actor")


def offer(app: typer.Typer | None) -> None:
    """Give every command of `app`, and of the groups in it, the option `--as`."""
    if app is None:
        return
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _with_option(command.callback)
    for group in app.registered_groups:
        offer(group.typer_instance)


@contextmanager
def resolved(store: Store) -> Iterator[None]:
    """Know, for the time of the block, who acts; raises `NotFound`, `Forbidden` for a name that may not."""
    token = _actor.set(_resolve(store, _name.get()))
    try:
        yield
    finally:
        _actor.reset(token)


def actor(permission: Permission) -> Actor:
    """Return who acts, inside `resolved`; raises `Forbidden` unless their role allows `permission`."""
    found = _actor.get()
    if not found.may(permission):
        raise Forbidden(f"{found.name} is {found.role} and has no {permission}")
    return found


def _resolve(store: Store, name: str) -> Actor:
    user = _user()
    via = f"{user}@{socket.gethostname()}"
    if not name:
        return Actor(f"cli:{user}", ActorKind.CLI, Role.ADMIN, via=via)
    try:
        found = store.read_now(lambda c: operators.find(c, name.strip().lower()))
    except NotFound as error:
        raise NotFound(f"{error}; --as and {VARIABLE} take the name of one") from error
    if not found.active:
        raise Forbidden(f"operator {found.name} is disabled")
    return Actor(found.name, ActorKind.CLI, found.role, via=via)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user on this machine: a container's number
        return str(os.getuid())


def _with_option(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def run(*args: Any, as_: str, **options: Any) -> Any:
        token = _name.set(as_)
        try:
            return command(*args, **options)
        finally:
            _name.reset(token)

    taken = inspect.signature(command)
    extra = inspect.Parameter("as_", inspect.Parameter.KEYWORD_ONLY, default="", annotation=AsOption)
    # the command line is built from the signature
    run.__signature__ = taken.replace(parameters=[*taken.parameters.values(), extra])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, "as_": AsOption}
    return run
