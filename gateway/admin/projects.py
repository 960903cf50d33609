"""`/accounts/…/projects`, `/projects`: what groups a customer's signatures and templates."""

from gateway.admin.call import Call
from gateway.admin.route import Route
from gateway.admin.schema import Answer, Body, Line, Reason, When, Why, when
from gateway.domain.operator import Permission
from gateway.store import projects


class ProjectName(Body):
    """What a project is called."""

    name: Line
    reason: Reason = ""


class ProjectView(Answer):
    """A project."""

    id: str
    account_id: str
    name: str
    is_default: bool
    signatures: int
    templates: int
    created_at: When


class ProjectList(Answer):
    """An account's projects, oldest first; there are at most 100."""

    items: list[ProjectView]


class ProjectId(Answer):
    """A project just made or changed."""

    project_id: str


async def list_projects(call: Call) -> ProjectList:
    """List an account's projects, oldest first."""
    found = await call.read(lambda c: projects.list_projects(c, call.path["account_id"]))
    return ProjectList(
        items=[
            ProjectView(
                id=one.project_id,
                account_id=one.account_id,
                name=one.name,
                is_default=one.is_default,
                signatures=one.signatures,
                templates=one.templates,
                created_at=when(one.created_at),
            )
            for one in found
        ]
    )


async def create_project(call: Call, body: ProjectName) -> ProjectId:
    """Add a project to an account."""
    by, account_id = call.by(body.reason), call.path["account_id"]
    made = await call.change(lambda c: projects.create_project(c, account_id, body.name, by))
    return ProjectId(project_id=made)


async def rename_project(call: Call, body: ProjectName) -> ProjectId:
    """Call a project differently."""
    by, id_ = call.by(body.reason), call.path["project_id"]
    await call.change(lambda c: projects.rename_project(c, id_, body.name, by))
    return ProjectId(project_id=id_)


async def make_default(call: Call, body: Why) -> ProjectId:
    """Make a project the one that requests without ProjectId belong to."""
    by, id_ = call.by(body.reason), call.path["project_id"]
    await call.change(lambda c: projects.default_project(c, id_, by))
    return ProjectId(project_id=id_)


ROUTES = (
    Route("GET", "/accounts/{account_id}/projects", Permission.ACCOUNTS_READ, list_projects),
    Route("POST", "/accounts/{account_id}/projects", Permission.ACCOUNTS_WRITE, create_project, status=201),
    Route("POST", "/projects/{project_id}/rename", Permission.ACCOUNTS_WRITE, rename_project),
    Route("POST", "/projects/{project_id}/default", Permission.ACCOUNTS_WRITE, make_default),
)
