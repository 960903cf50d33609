"""What is changed beside the running gateway takes effect in it."""

import asyncio
import secrets
from pathlib import Path

import pytest

from config.schema import RiskMode, RiskRule
from gateway.auth.keys import Keyring
from gateway.domain.lists import Listing, ListKind
from gateway.domain.message import State
from gateway.domain.operator import SYSTEM
from gateway.domain.risk import Override
from gateway.errors import StoreUnavailable
from gateway.flow.watch import Watch
from gateway.store import accounts, ledger, numbers, revisions, risk
from gateway.store.audit import By
from tests.support.flow import ACCOUNT, BALANCE, Rig, flow, states
from tests.support.messages import NOON_MS


def watch(rig: Rig) -> tuple[Watch, Keyring]:
    keyring = Keyring(secrets.token_bytes(32))
    return Watch(rig.pipeline.context, keyring, rig.directory, rig.pipeline.followers), keyring


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


async def test_money_taken_back_can_no_longer_be_spent(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, _ = watch(rig)
        await watcher.look()
        rig.store.transaction(lambda c: ledger.debit(c, ACCOUNT, BALANCE - 5, NOON_MS, "paid back"))
        await watcher.look()
        await watcher.look()
        assert rig.pipeline.context.funds.available(ACCOUNT) == 5


async def test_nothing_new_leaves_the_directory_as_it_is(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, _ = watch(rig)
        await watcher.look()
        before = rig.directory.value
        await watcher.look()
        assert rig.directory.value is before


async def test_numbers_and_rules_changed_meanwhile_are_in_effect_at_the_next_look(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, _ = watch(rig)
        await watcher.look()
        blocked = Listing(ACCOUNT, "", ListKind.BLOCKED, 60120000001)
        rule = Override(RiskRule.BLACKLIST, RiskMode.ON, None)
        rig.store.transaction(lambda c: numbers.list_numbers(c, [blocked], NOON_MS))
        rig.store.transaction(lambda c: risk.set_rule(c, ACCOUNT, rule, By(SYSTEM, NOON_MS)))
        await watcher.look()
        await rig.accept(2)
        assert [state for state, _ in await states(rig)] == [State.FAILED, State.SENDING]


async def test_two_looks_at_once_add_a_credit_once(tmp_path: Path) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, _ = watch(rig)
        await watcher.look()
        rig.store.transaction(lambda c: ledger.credit(c, ACCOUNT, 7, NOON_MS, "top-up"))
        await asyncio.gather(*(watcher.look() for _ in range(4)))
        assert rig.pipeline.context.funds.available(ACCOUNT) == BALANCE + 7
        assert watcher.revisions[revisions.MONEY] == rig.store.read_now(revisions.current)[revisions.MONEY]


async def test_what_was_committed_has_not_failed_if_it_cannot_be_taken_over_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flow(tmp_path / "g.db") as rig:
        watcher, keyring = watch(rig)
        await watcher.take_over()
        new = rig.store.transaction(lambda c: accounts.create_account(c, keyring, "Two", NOON_MS))

        def broken(_: object) -> None:
            raise StoreUnavailable("disk full")

        with monkeypatch.context() as patched:
            patched.setattr(rig.store, "read_now", broken)
            await watcher.take_over()
        assert new.public_key not in rig.directory.value.keys
        await watcher.take_over()
        assert new.public_key in rig.directory.value.keys
