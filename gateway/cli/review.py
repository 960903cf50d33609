"""`signature` and `template`: made and reviewed by the operator."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, now_ms, office, purpose_of, show
from gateway.domain.review import Review
from gateway.errors import Invalid
from gateway.store import accounts
from gateway.store.accounts import NewTemplate

signatures = typer.Typer(help="SMS signatures: the brand in front of a text.", no_args_is_help=True)
templates = typer.Typer(help="Templates: texts with variables {1}, {2}, …", no_args_is_help=True)

AccountOption = Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="The account's id (acc-…).")]
ProjectOption = Annotated[
    str, typer.Option("--project", metavar="PROJECT", help="Default: the account's default.")
]
TextOption = Annotated[
    str, typer.Option("--text", help="The text as the handset shows it, without brackets.")
]
ApproveOption = Annotated[bool, typer.Option("--approve", help="Approve it at once.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="SIG… or UT…")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Shown to the customer.")]


@signatures.command("create")
def create_signature(
    *,
    account: AccountOption,
    text: TextOption,
    approve: ApproveOption = False,
    project: ProjectOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Add an SMS signature to an account's project."""
    status = Review.APPROVED if approve else Review.PENDING
    with office(config) as here:
        made = here.store.transaction(
            lambda c: accounts.create_signature(c, account, text, now_ms(), status=status, project_id=project)
        )
    show({"signature_id": made, "account_id": account, "status": status.name.lower()}, json)


@templates.command("create")
def create_template(
    *,
    account: AccountOption,
    purpose: Annotated[
        str, typer.Option("--purpose", help="verification (1), notification (2) or promotion (3).")
    ],
    text: Annotated[str, typer.Option("--text", help="The text, with variables {1}, {2}, …")],
    approve: ApproveOption = False,
    name: Annotated[str, typer.Option("--name", help="At most 32 characters; default: its id.")] = "",
    project: ProjectOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Add a template to an account's project."""
    status = Review.APPROVED if approve else Review.PENDING
    template = NewTemplate(purpose=purpose_of(purpose), text=text, name=name, status=status)
    with office(config) as here:
        made = here.store.transaction(
            lambda c: accounts.create_template(c, account, template, now_ms(), project_id=project)
        )
    show(
        {
            "template_id": made,
            "account_id": account,
            "purpose": template.purpose.name.lower(),
            "status": status.name.lower(),
        },
        json,
    )


@signatures.command("approve")
@templates.command("approve")
def approve(item: IdArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Approve it: messages may use it within a second."""
    _review(config, item, Review.APPROVED, "", json)


@signatures.command("reject")
@templates.command("reject")
def reject(
    item: IdArgument, reason: ReasonOption, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Reject it, with the reason."""
    _review(config, item, Review.REJECTED, reason, json)


@signatures.command("disable")
@templates.command("disable")
def disable(
    item: IdArgument, reason: ReasonOption, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Disable what was approved before; nothing new can use it."""
    _review(config, item, Review.DISABLED, reason, json)


def _review(config: Path, item: str, status: Review, reason: str, json: bool) -> None:
    if not item.startswith(("SIG", "UT")):
        raise Invalid(f"{item!r} is no id of a signature (SIG…) or template (UT…)")
    with office(config) as here:
        here.store.transaction(lambda c: accounts.review(c, item, status, reason))
    show({"id": item, "status": status.name.lower(), "reason": reason}, json)
