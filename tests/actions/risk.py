"""Risk control's action, as it is tried."""

import base64
import json
from typing import Any

from tests.actions.declared import Declared
from tests.actions.world import Parameters, World


def _blacklist(entries: Any, **changes: Any) -> Parameters:
    return {
        "IsGlobal": False,
        "BlackList": base64.b64encode(json.dumps(entries).encode()).decode(),
        **changes,
    }


def _entry(world: World) -> dict[str, Any]:
    return {"Phone": "(60)123999999", "Purpose": 3, "Remark": world.fresh()}


BLACKLIST = Declared(
    good=lambda world: _blacklist([_entry(world)]),
    refused={
        18000: lambda _: _blacklist([], BlackList="%%%"),
        18001: lambda _: _blacklist([]),
        18002: lambda world: _blacklist([_entry(world)], IsGlobal="perhaps"),
        18003: lambda world: _blacklist([_entry(world)], BlackList="A" * (4 * 1024 * 1024 + 4)),
        18019: lambda world: _blacklist([_entry(world)] * 1001),
    },
    plain=("IsGlobal", "BlackList"),
)

DECLARED = {"BatchCreateUSMSBlacklistPhone": BLACKLIST}
