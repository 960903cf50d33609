"""Counters as JSON, statuses readable."""

import orjson

from carriers.simulator.faults import FaultKind
from carriers.simulator.stats import Stats


def test_statuses_are_written_as_the_standard_does() -> None:
    stats = Stats(submits=3)
    stats.statuses.update([0, 0, 0x58])
    stats.faults["throttle"] += 1
    told = orjson.loads(orjson.dumps(stats.as_json()))
    assert told["statuses"] == {"0x00": 2, "0x58": 1}
    assert told["faults"] == {"throttle": 1}
    assert told["submits"] == 3


def test_a_fault_that_struck_is_written_by_its_word() -> None:
    stats = Stats()
    stats.faults[FaultKind.THROTTLE] += 2  # how the carrier counts them
    assert orjson.loads(orjson.dumps(stats.as_json()))["faults"] == {"throttle": 2}
