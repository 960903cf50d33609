"""`audit`: who changed what, when, why, before and after."""

import json as json_module
from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    SinceOption,
    UntilOption,
    moment,
    show_rows,
    time_of,
)
from gateway.cli.office import by, office
from gateway.domain.operator import Permission
from gateway.store import audit
from gateway.store.audit import Filter, Record

app = typer.Typer(help="The audit: every change, by whom and why.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    actor: Annotated[str, typer.Option("--actor", help="Who: an operator's name, or cli:USER.")] = "",
    action: Annotated[str, typer.Option("--action", help="account.credit; account. for all of these.")] = "",
    subject: Annotated[str, typer.Option("--subject", help="The id of what was changed.")] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    before: Annotated[int | None, typer.Option("--before", help="Older than the one with this id.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show what was changed, newest first."""
    wanted = Filter(
        actor=actor, action=action, subject_id=subject, since=time_of(since), until=time_of(until)
    )
    with office(config) as here:
        by(permission=Permission.AUDIT_READ)  # held to the role of --as like everything else
        found = here.store.read_now(lambda c: audit.page(c, wanted, limit, before))
    if json:
        show_rows([{**asdict(record), "at": moment(record.at)} for record in found], as_json=True)
    else:
        show_rows([_row(record) for record in found], as_json=False)


def _row(record: Record) -> dict[str, object]:
    return {
        "id": record.id,
        "at": moment(record.at),
        "actor": record.actor,
        "through": " ".join(filter(None, (record.actor_kind, record.via, record.address))),
        "action": record.action,
        "subject": record.subject_id,
        "before": _short(record.before),
        "after": _short(record.after),
        "reason": record.reason,
    }


def _short(state: object) -> str:
    return "-" if state is None else json_module.dumps(state, ensure_ascii=False)
