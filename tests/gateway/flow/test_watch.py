"""What is changed beside the running gateway takes effect in it."""

import secrets
from pathlib import Path

from gateway.auth.keys import Keyring
from gateway.flow.watch import Watch
from gateway.store import accounts, ledger
from tests.support.flow import ACCOUNT, BALANCE, Rig, flow
from tests.support.messages import NOON_MS


def watch(rig: Rig) -> tuple[Watch, Keyring]:
    keyring = Keyring(secrets.token_bytes(32))
    on_inbound = rig.pipeline.inbound.look_for_assigned
    return Watch(rig.pipeline.context, keyring, rig.directory, on_inbound), keyring


async def test_an_account_made_meanwhile_is_known_at_the_next_look(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, keyring = watch(rig)
        new = rig.store.transaction(lambda c: accounts.create_account(c, keyring, "Two", NOON_MS))
        assert new.account_id not in rig.directory.value.accounts
        await watcher.look()
        assert rig.directory.value.keys[new.public_key].private_key == new.private_key


async def test_a_credit_is_added_once_to_what_is_being_spent(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, _ = watch(rig)
        await watcher.look()
        rig.store.transaction(lambda c: ledger.credit(c, ACCOUNT, 7, NOON_MS, "top-up"))
        await watcher.look()
        await watcher.look()
        assert rig.pipeline.context.funds.available(ACCOUNT) == BALANCE + 7


async def test_nothing_new_leaves_the_directory_as_it_is(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, _ = watch(rig)
        await watcher.look()
        before = rig.directory.value
        await watcher.look()
        assert rig.directory.value is before
