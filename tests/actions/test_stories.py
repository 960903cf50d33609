"""Every action by the published client against a running gateway: its success and each documented refusal."""

from typing import Any

import pytest
from ucloud.core import exc

from gateway.api.scloud.codes import RetCode
from tests.actions.areas import DECLARED
from tests.actions.declared import Try
from tests.actions.test_declared import METHODS
from tests.actions.world import NOW, World

pytestmark = pytest.mark.slow


def invoke(world: World, action: str, tried: Try) -> dict[str, Any]:
    """Call `action` as the client's users do; raises what the client raises."""
    customer = tried.by(world)
    client = world.client(customer)
    found: dict[str, Any]
    if action in METHODS and tried.typed:
        try:
            found = getattr(client.usms(), METHODS[action])(dict(tried.parameters))
            return found
        except exc.ValidationException:
            pass  # the typed method would not even send it; the untyped way does
    found = client.invoke(action, {"ProjectId": customer.project_id, **tried.parameters})
    return found


@pytest.mark.parametrize("action", DECLARED)
def test_it_succeeds(world: World, action: str) -> None:
    invoke(world, action, Try(DECLARED[action].good(world)))
    answer = world.call(world.one, action, DECLARED[action].good(world))
    assert answer["RetCode"] == 0
    assert answer["Action"] in (f"{action}Response", action)
    assert isinstance(answer["Message"], str)


REFUSED = [(action, code) for action, declared in DECLARED.items() for code in sorted(declared.refused)]


@pytest.mark.parametrize(("action", "code"), REFUSED, ids=str)
def test_it_is_refused_and_nothing_has_changed(world: World, action: str, code: int) -> None:
    world.settled()
    before = world.rows()
    tried = DECLARED[action].tried(world, code)
    with pytest.raises(exc.RetCodeException) as refused:
        invoke(world, action, tried)
    assert (refused.value.code, refused.value.action) == (code, action)
    assert refused.value.request_uuid
    answer = world.call(tried.by(world), action, tried.parameters)
    assert (answer["RetCode"], answer["Message"]) == (code, refused.value.message)
    assert answer["Action"] in (f"{action}Response", action)
    if code != RetCode.PARTLY_SUBMITTED:
        assert world.rows() == before


def test_projects_have_all_that_the_client_reads(world: World) -> None:
    found = world.client(world.one).uaccount().get_project_list({"IsFinance": "No"})
    assert found["ProjectCount"] == 1
    (project,) = found["ProjectSet"]
    assert (project["ProjectId"], project["ProjectName"]) == (world.one.project_id, "Default")
    assert (project["IsDefault"], project["MemberCount"]) == (True, 1)
    assert project["ResourceCount"] >= 4  # a signature and three templates
    assert project["CreateTime"] == NOW // 1000
