"""A store that stopped committing is asked again until it does."""

from unittest.mock import AsyncMock, Mock

from gateway.errors import StoreUnavailable
from gateway.flow.probe import Probe
from tests.support.scloud import FakeClock


async def test_only_a_journal_that_fails_is_asked() -> None:
    journal = Mock(failure="", append=AsyncMock(side_effect=[StoreUnavailable("disk full"), None]))
    probe = Probe(journal, FakeClock())
    await probe.look()
    assert journal.append.await_count == 0
    journal.failure = "disk full"
    await probe.look()  # still full: no matter
    await probe.look()
    assert journal.append.await_count == 2
    (changes,) = journal.append.await_args.args
    assert [name for name, _ in changes.marks] == ["probe"]
