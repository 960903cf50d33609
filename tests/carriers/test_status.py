"""What a channel tells about itself is plain values, ready for JSON."""

import orjson

from carriers.channel import Channel
from tests.support.upstream import Upstream, channel_config


async def test_a_channel_that_never_ran_says_so() -> None:
    upstream = Upstream()
    config = channel_config(1, links=2, rate=50.0)
    channel = Channel(config, upstream.answered, upstream.arrived, upstream.changed)
    channel.status().counters.throttled[0x58] += 3
    channel.status().counters.faults["bad pdu"] += 1
    told = orjson.loads(orjson.dumps(channel.status().as_dict()))
    assert (told["up"], told["window"], told["in_flight"], told["queued"]) == (False, 0, 0, 0)
    assert [link["state"] for link in told["links"]] == ["waiting", "waiting"]
    assert [link["name"] for link in told["links"]] == ["1", "2"]
    assert (told["rate"], told["paused_for"]) == (50.0, 0.0)
    assert told["counters"]["binds"] == 0
    assert told["counters"]["faults"] == {"bad pdu": 1}
    assert told["counters"]["throttled"] == {"ESME_RTHROTTLED": 3}
