"""`signature` and `template`: made and reviewed by the operator."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, purpose_of, show
from gateway.cli.office import by, office
from gateway.cli.reviews import VersionOption, decide
from gateway.domain.message import Purpose
from gateway.domain.operator import Permission
from gateway.domain.review import Kind, Move, Review, word
from gateway.domain.template import BadTemplate, check_signature_text, check_template_text
from gateway.errors import Invalid
from gateway.flow.rules import checks_of
from gateway.store import applications, reviews
from gateway.store.applications import SignatureForm, TemplateForm

signatures = typer.Typer(help="SMS signatures: the brand in front of a text.", no_args_is_help=True)
templates = typer.Typer(help="Templates: texts with variables {1}, {2}, …", no_args_is_help=True)

AT_ONCE = "made and approved by the operator"
OVERRULED = "approved by the operator"

AccountOption = Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="The account's id (acc-…).")]
ProjectOption = Annotated[
    str, typer.Option("--project", metavar="PROJECT", help="Default: the account's default.")
]
TextOption = Annotated[
    str, typer.Option("--text", help="The text as the handset shows it, without brackets.")
]
ApproveOption = Annotated[bool, typer.Option("--approve", help="Approve it at once.")]
InternationalOption = Annotated[
    bool, typer.Option("--international", help="For numbers of other countries than the default one.")
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="SIG… or UT…")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Shown to the customer.")]


@signatures.command("create")
def create_signature(
    *,
    account: AccountOption,
    text: TextOption,
    approve: ApproveOption = False,
    international: InternationalOption = False,
    project: ProjectOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Add an SMS signature to an account's project, for review or approved at once."""
    try:
        form = SignatureForm(text=check_signature_text(text), international=international)
    except BadTemplate as error:
        raise Invalid(str(error)) from error

    def make(connection: Connection) -> str:
        owner = applications.owner_of(connection, account, project)
        return applications.create_signature(connection, owner, form, by())

    made, status = _made(config, make, Kind.SIGNATURE, approve)
    show({"signature_id": made, "account_id": account, "status": status}, json)


@templates.command("create")
def create_template(
    *,
    account: AccountOption,
    purpose: Annotated[
        str, typer.Option("--purpose", help="verification (1), notification (2) or promotion (3).")
    ],
    text: Annotated[str, typer.Option("--text", help="The text, with variables {1}, {2}, …")],
    approve: ApproveOption = False,
    international: InternationalOption = False,
    name: Annotated[str, typer.Option("--name", help="At most 32 characters; default: its id.")] = "",
    project: ProjectOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Add a template to an account's project, for review or approved at once."""
    meant: Purpose = purpose_of(purpose)
    try:
        form = TemplateForm(
            purpose=meant, text=check_template_text(text), name=name, international=international
        )
    except BadTemplate as error:
        raise Invalid(str(error)) from error

    def make(connection: Connection) -> str:
        owner = applications.owner_of(connection, account, project)
        return applications.create_template(connection, owner, form, by())

    made, status = _made(config, make, Kind.TEMPLATE, approve)
    fields = {"template_id": made, "account_id": account, "purpose": meant.name.lower(), "status": status}
    show(fields, json)


def _made(config: Path, make: Callable[[Connection], str], kind: Kind, approve: bool) -> tuple[str, str]:
    with office(config) as here:
        checks = checks_of(here.settings.review)

        def work(connection: Connection) -> tuple[str, str]:
            made, status = make(connection), Review.PENDING
            if approve:
                # the checks look at it all the same, and what they found is kept with it
                status = reviews.decide(
                    connection, checks, made, Move.APPROVE, by(AT_ONCE, Permission.REVIEW_DECIDE)
                ).after
            return made, word(kind, status)

        return here.store.transaction(work)


@signatures.command("approve")
@templates.command("approve")
def approve(
    item: IdArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, if the automatic checks say no.")] = OVERRULED,
    version: VersionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Approve it: messages may use it from now on."""
    decide(config, item, Move.APPROVE, reason, json, version)


@signatures.command("reject")
@templates.command("reject")
def reject(
    item: IdArgument,
    reason: ReasonOption,
    version: VersionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Reject it, with the reason."""
    decide(config, item, Move.REJECT, reason, json, version)


@signatures.command("disable")
@templates.command("disable")
def disable(
    item: IdArgument, reason: ReasonOption, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Disable what was approved before: nothing can use it from now on."""
    decide(config, item, Move.DISABLE, reason, json)
