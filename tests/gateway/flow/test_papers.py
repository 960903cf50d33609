"""Customers' files from upload to sweep, on a real disk."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from config.schema import FileSettings
from gateway.auth.keys import Keyring
from gateway.auth.links import LinkSigner
from gateway.domain.paper import BadPaper, NotBase64
from gateway.errors import Conflict, Invalid, NotFound, StoreUnavailable
from gateway.flow.papers import Handed, Papers
from gateway.store import accounts, papers
from gateway.store.engine import Store
from tests.support.database import prepared_store
from tests.support.scloud import FakeClock

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
TEXT = base64.b64encode(PNG).decode()
DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = prepared_store(tmp_path)
    yield made
    made.close()


@pytest.fixture
def account(store: Store) -> str:
    return store.transaction(lambda c: accounts.create_account(c, Keyring(b"k" * 32), "Acme", 1)).account_id


class Office:
    """The files, with a clock of their own."""

    def __init__(self, store: Store, directory: Path, **settings: object) -> None:
        self.clock = FakeClock()
        self.directory = directory
        whole = FileSettings(**{"directory": str(directory), **settings})  # type: ignore[arg-type]
        self.papers = Papers(store, whole, LinkSigner(b"k"), self.clock)

    def stored(self) -> list[bytes]:
        return [path.read_bytes() for path in self.directory.glob("??/*") if path.is_file()]

    async def follow(self, link: str) -> Handed:
        parts = urlsplit(link)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return await self.papers.by_link(parts.path.rpartition("/")[2], query["expires"], query["signature"])


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Iterator[Office]:
    made = Office(store, tmp_path / "files", quota=40, link_base="https://sms.example.com/")
    yield made
    made.papers.close()


async def test_a_link_leads_to_the_file_for_a_while(office: Office, account: str) -> None:
    made = await office.papers.take(account, TEXT, "licence.png")
    link = office.papers.link(made)
    assert link.startswith(f"https://sms.example.com/files/{made}?expires=")
    assert office.papers.linked(link) == office.papers.linked(made) == made
    assert office.papers.linked("") == ""
    # what leads to nothing is not nothing: whoever looks for it says so
    assert office.papers.linked("https://a.example/") == "https://a.example/"
    handed = await office.follow(link)
    assert (handed.path.read_bytes(), handed.type, handed.name) == (PNG, "image/png", "licence.png")
    office.clock.seconds += 601
    with pytest.raises(NotFound):
        await office.follow(link)
    assert office.papers.link("") == ""


async def test_a_link_cannot_be_turned_to_another_file(office: Office, account: str) -> None:
    first = await office.papers.take(account, TEXT, "a.png")
    second = await office.papers.take(account, TEXT, "b.png")
    with pytest.raises(NotFound):
        await office.follow(office.papers.link(first).replace(first, second))


async def test_what_is_refused_leaves_nothing(office: Office, account: str) -> None:
    for text, error in (("%%%", NotBase64), (base64.b64encode(b"text").decode(), BadPaper)):
        with pytest.raises(error):
            await office.papers.take(account, text)
    assert office.stored() == []


async def test_beyond_the_quota_the_bytes_go_with_the_next_sweep(office: Office, account: str) -> None:
    await office.papers.take(account, TEXT)
    await office.papers.take(account, TEXT)
    with pytest.raises(Invalid, match="more than 40 bytes"):
        await office.papers.take(account, base64.b64encode(PNG + b"!").decode())
    assert len(office.stored()) == 2
    assert await office.papers.sweep() == 1
    assert office.stored() == [PNG]


async def test_unused_files_are_swept_after_their_days(office: Office, store: Store, account: str) -> None:
    await office.papers.take(account, TEXT)
    office.clock.seconds += 6 * DAY
    assert await office.papers.sweep() == 0
    office.clock.seconds += 2 * DAY
    assert await office.papers.sweep() == 1
    assert office.stored() == []
    assert store.read_now(lambda c: papers.known_hashes(c, ["0" * 64])) == set()


async def test_the_same_bytes_of_two_accounts_stand_once_and_go_with_the_last(
    office: Office, store: Store, account: str
) -> None:
    other = store.transaction(lambda c: accounts.create_account(c, Keyring(b"k" * 32), "Other", 1)).account_id
    await office.papers.take(account, TEXT)
    office.clock.seconds += 5 * DAY
    await office.papers.take(other, TEXT)
    office.clock.seconds += 5 * DAY
    assert await office.papers.sweep() == 0
    assert office.stored() == [PNG]


async def test_a_disk_that_cannot_is_a_store_that_is_away(
    office: Office, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.store.vault.os.fsync", full)
    with pytest.raises(StoreUnavailable, match="No space"):
        await office.papers.take(account, TEXT)


async def test_a_file_that_is_missing_is_not_found(office: Office, account: str) -> None:
    made = await office.papers.take(account, TEXT)
    handed = await office.follow(office.papers.link(made))
    handed.path.unlink()
    with pytest.raises(NotFound):
        await office.follow(office.papers.link(made))


async def test_a_file_and_what_names_it_are_stored_together_or_not_at_all(
    office: Office, store: Store, account: str
) -> None:
    def refuse(_: object, ids: Mapping[str, str]) -> None:
        assert len(ids["File"]) == 36
        raise Conflict("there is one already")

    with pytest.raises(Conflict):
        await office.papers.take_with(account, {"File": TEXT}, refuse)
    digest = hashlib.sha256(PNG).hexdigest()
    assert store.read_now(lambda c: papers.known_hashes(c, [digest])) == set()
    assert await office.papers.sweep() == 1
    made = await office.papers.take_with(account, {"File": TEXT}, lambda _, ids: ids["File"])
    assert (await office.follow(office.papers.link(made))).path.read_bytes() == PNG
