"""Waiting until the running gateway acts on what a command has changed, so that its answer is the truth."""

import time
import urllib.request

import orjson

from gateway.cli.office import Office

LIMIT = 10.0  # seconds the running gateway may take to notice a change
NOT_NOTICED = "the running gateway has not noticed yet: see its log"


def await_notice(here: Office, scope: str, revision: int) -> bool:
    """Wait until the running gateway has taken over this `revision` of `scope`; True if none runs."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{here.settings.http.admin}/healthz", timeout=1) as answer:
                known = orjson.loads(answer.read()).get("revisions", {})
        except (OSError, ValueError):
            return True  # nobody is there to notice
        if known.get(scope, 0) >= revision:
            return True
        time.sleep(0.02)
    return False
