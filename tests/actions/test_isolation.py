"""Nobody sees, uses or guesses what is another account's: tried with every parameter that names something."""

import json
import re
from typing import Any

import pytest

from tests.actions.areas import DECLARED
from tests.actions.declared import Probe
from tests.actions.world import Customer, Parameters, World

PROBES = [(action, probe) for action, declared in DECLARED.items() for probe in declared.probes]


def parameters(world: World, action: str, probe: Probe, given: str) -> Parameters:
    if probe.call is not None:
        return probe.call(world, given)
    good = DECLARED[action].good(world)
    one_of_many = isinstance(good.get(probe.parameter), list)
    return {**good, probe.parameter: [given] if one_of_many else given}


def answered(world: World, action: str, probe: Probe, given: str) -> dict[str, Any]:
    """Return the answer without what differs from call to call."""
    answer = world.call(world.one, action, parameters(world, action, probe, given))
    text = json.dumps(answer, ensure_ascii=False, sort_keys=True)
    text = re.sub(r"call-[0-9]+", "CALL", text.replace(given, "GIVEN"))
    cleaned: dict[str, Any] = json.loads(text)
    cleaned.pop("ReqUuid", None)
    return cleaned


@pytest.mark.parametrize(("action", "probe"), PROBES, ids=lambda value: getattr(value, "thing", value))
def test_what_is_anothers_is_as_good_as_nothing(world: World, action: str, probe: Probe) -> None:
    world.settled()
    before = world.rows()
    theirs = answered(world, action, probe, world.other.things[probe.thing])
    nobodys = answered(world, action, probe, probe.unknown)
    assert theirs == nobodys
    assert world.rows() == before
    own = answered(world, action, probe, world.one.things[probe.thing])
    assert own != nobodys, "the probe tells nothing: ones own is answered like nobody's"


@pytest.mark.parametrize("action", DECLARED)
def test_another_accounts_project_is_refused(world: World, action: str) -> None:
    good = DECLARED[action].good(world)
    world.settled()
    before = world.rows()
    foreign = world.call(world.one, action, {**good, "ProjectId": world.other.project_id})
    unknown = world.call(world.one, action, {**good, "ProjectId": "org-nobodys"})
    assert foreign == {"RetCode": 290, "Message": "Project not authorised"}
    assert unknown == {"RetCode": 292, "Message": "Project Not Exists"}
    assert world.rows() == before


@pytest.mark.parametrize("action", DECLARED)
def test_anothers_key_does_not_sign(world: World, action: str) -> None:
    """Knowing the public key of another account, even all of its ids, opens nothing."""
    good = DECLARED[action].good(world)
    world.settled()
    before = world.rows()
    mixed = Customer(
        world.other.account_id, world.other.project_id, world.other.public_key, world.one.private_key
    )
    assert world.call(mixed, action, good)["RetCode"] == 171
    assert world.rows() == before
