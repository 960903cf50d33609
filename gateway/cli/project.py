"""`project`: what groups a customer's signatures and templates."""

from typing import Annotated

import typer

from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, show, show_rows
from gateway.cli.office import by, office
from gateway.store import projects

app = typer.Typer(help="Projects: each has its own signatures and templates.", no_args_is_help=True)

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id (acc-…).")]
ProjectArgument = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's id (org-…).")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="At most 64 characters.")]


@app.command("create")
def create(
    account: AccountArgument,
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Give ACCOUNT another project."""
    with office(config) as here:
        made = here.store.transaction(lambda c: projects.create_project(c, account, name, by()))
    show({"project_id": made, "account_id": account, "name": name.strip()}, json)


@app.command("list")
def list_(account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show the projects of ACCOUNT."""
    with office(config) as here:
        found = here.store.read_now(lambda c: projects.list_projects(c, account))
    rows = [
        {
            "project_id": project.project_id,
            "name": project.name,
            "default": project.is_default,
            "signatures": project.signatures,
            "templates": project.templates,
            "created": moment(project.created_at),
        }
        for project in found
    ]
    show_rows(rows, json)


@app.command("rename")
def rename(
    project: ProjectArgument,
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Call PROJECT differently; its id stays."""
    with office(config) as here:
        here.store.transaction(lambda c: projects.rename_project(c, project, name, by()))
    show({"project_id": project, "name": name.strip()}, json)


@app.command("default")
def default(
    project: ProjectArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Make PROJECT the one that requests without ProjectId belong to."""
    with office(config) as here:
        here.store.transaction(lambda c: projects.default_project(c, project, by()))
    show({"project_id": project, "default": True}, json)
