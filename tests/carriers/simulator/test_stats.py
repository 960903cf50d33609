"""The counters as JSON: words and numbers of the protocol become text."""

import orjson

from carriers.simulator.faults import FaultKind
from carriers.simulator.stats import Stats


def test_counters_by_status_and_by_fault_can_be_written() -> None:
    stats = Stats(submits=3)
    stats.statuses[0x58] += 2
    stats.faults[FaultKind.THROTTLE] += 2
    told = orjson.loads(orjson.dumps(stats.as_json()))
    assert told["submits"] == 3
    assert told["statuses"] == {"0x58": 2}
    assert told["faults"] == {"throttle": 2}
