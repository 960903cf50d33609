"""`/status` and `/channels`."""

from tests.support.admin import Installation


async def test_the_status_says_what_waits(here: Installation) -> None:
    alice = await here.logged_in("alice")
    queue = {"lane": "a,b", "purpose": "promotion", "state": "queued", "messages": 7, "oldest_seconds": 1.5}
    here.status |= {"ready": False, "reasons": ["stopping"], "queues": [queue]}
    answer = (await alice.get("/status")).json
    assert (answer["ready"], answer["reasons"], answer["queues"]) == (False, ["stopping"], [queue])


async def test_channels_are_told_by_id(here: Installation) -> None:
    alice = await here.logged_in("alice")
    channel = {
        "up": True, "links": [{"name": "1", "state": "bound"}], "queued": 0, "in_flight": 3, "window": 10,
        "rate": 50.0, "paused_for": 0.0, "counters": {"sent": 9},
    }  # fmt: skip
    here.channels = {"b": channel, "a": {**channel, "up": False}}
    answer = (await alice.get("/channels")).json["items"]
    assert [(one["id"], one["up"]) for one in answer] == [("a", False), ("b", True)]
    assert answer[1]["links"] == [{"name": "1", "state": "bound"}]
