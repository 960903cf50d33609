"""Projects: made, renamed, exactly one of them the default."""

import threading

import pytest

from gateway.auth.keys import Keyring
from gateway.domain.message import Purpose
from gateway.domain.operator import Actor, ActorKind, Role
from gateway.errors import Conflict, Invalid, NotFound
from gateway.store import accounts, audit, projects
from gateway.store.accounts import NewAccount
from gateway.store.audit import By, Filter
from gateway.store.engine import Store
from tests.support.review import approved_template

NOW = 1_790_000_000_000
RING = Keyring(b"k" * 32)
BY = By(actor=Actor("alice", ActorKind.OPERATOR, Role.OPERATOR), now_ms=NOW)


@pytest.fixture
def acme(store: Store) -> NewAccount:
    return store.transaction(lambda c: accounts.create_account(c, RING, "Acme", NOW - 1))


def create(store: Store, account_id: str, name: str) -> str:
    return store.transaction(lambda c: projects.create_project(c, account_id, name, BY))


def names(store: Store, account_id: str) -> dict[str, bool]:
    found = store.read_now(lambda c: projects.list_projects(c, account_id))
    return {project.name: project.is_default for project in found}


def test_an_account_gets_more_projects_and_keeps_its_default(store: Store, acme: NewAccount) -> None:
    made = create(store, acme.account_id, " Shop ")
    assert names(store, acme.account_id) == {"Default": True, "Shop": False}
    directory = store.read_now(lambda c: accounts.load_directory(c, RING))
    assert directory.project_owner[made] == acme.account_id
    assert directory.accounts[acme.account_id].projects[made].created_at == NOW


def test_another_project_becomes_the_default(store: Store, acme: NewAccount) -> None:
    made = create(store, acme.account_id, "Shop")
    for project_id, expected in ((made, "Shop"), (made, "Shop"), (acme.project_id, "Default")):
        store.transaction(lambda c, id_=project_id: projects.default_project(c, id_, BY))
        default = [name for name, is_default in names(store, acme.account_id).items() if is_default]
        assert default == [expected]
        (account,) = store.read_now(lambda c: accounts.list_accounts(c, acme.account_id))
        assert account.project_id == project_id


def test_what_is_made_without_naming_a_project_goes_to_the_default_one(
    store: Store, acme: NewAccount
) -> None:
    made = create(store, acme.account_id, "Shop")
    store.transaction(lambda c: projects.default_project(c, made, BY))
    store.transaction(lambda c: approved_template(c, acme.account_id, Purpose.NOTIFICATION, "x {1}", NOW))
    first, second = store.read_now(lambda c: projects.list_projects(c, acme.account_id))
    assert (first.templates, second.templates, second.signatures) == (0, 1, 0)


def test_a_project_is_renamed_and_keeps_its_id(store: Store, acme: NewAccount) -> None:
    store.transaction(lambda c: projects.rename_project(c, acme.project_id, "Main", BY))
    store.transaction(lambda c: projects.rename_project(c, acme.project_id, "Main", BY))
    (found,) = store.read_now(lambda c: projects.list_projects(c, acme.account_id))
    assert (found.project_id, found.name) == (acme.project_id, "Main")


def test_what_cannot_be_done_changes_nothing(store: Store, acme: NewAccount) -> None:
    create(store, acme.account_id, "Shop")
    before = names(store, acme.account_id)
    for error, work in (
        (NotFound, lambda c: projects.create_project(c, "acc-nobody", "x", BY)),
        (NotFound, lambda c: projects.rename_project(c, "org-nobody", "x", BY)),
        (NotFound, lambda c: projects.default_project(c, "org-nobody", BY)),
        (NotFound, lambda c: projects.list_projects(c, "acc-nobody")),
        (Invalid, lambda c: projects.create_project(c, acme.account_id, "", BY)),
        (Invalid, lambda c: projects.create_project(c, acme.account_id, "x" * 65, BY)),
        (Invalid, lambda c: projects.rename_project(c, acme.project_id, "a\0b", BY)),
        (Conflict, lambda c: projects.create_project(c, acme.account_id, "Shop", BY)),
        (Conflict, lambda c: projects.rename_project(c, acme.project_id, "Shop", BY)),
    ):
        with pytest.raises(error):
            store.transaction(work)
    assert names(store, acme.account_id) == before


def test_there_can_be_a_hundred(store: Store, acme: NewAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    assert projects.MAX_PROJECTS == 100
    monkeypatch.setattr(projects, "MAX_PROJECTS", 3)
    for name in "ab":
        create(store, acme.account_id, name)
    with pytest.raises(Conflict, match="has 3 projects"):
        create(store, acme.account_id, "c")


def test_two_changes_of_the_default_at_once_leave_one(store: Store, acme: NewAccount) -> None:
    made = [create(store, acme.account_id, name) for name in ("a", "b")]
    threads = [
        threading.Thread(
            target=lambda id_=id_: store.transaction(lambda c: projects.default_project(c, id_, BY))
        )
        for id_ in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names(store, acme.account_id).values()) == [False, False, True]


def test_changes_are_audited(store: Store, acme: NewAccount) -> None:
    made = create(store, acme.account_id, "Shop")
    store.transaction(lambda c: projects.rename_project(c, made, "Store", BY))
    store.transaction(lambda c: projects.default_project(c, made, BY))
    records = store.read_now(lambda c: audit.page(c, Filter(subject_id=made), 10))
    assert [(record.action, record.before, record.after) for record in records] == [
        ("project.default", {"default": acme.project_id}, {"default": made}),
        ("project.rename", {"name": "Shop"}, {"name": "Store"}),
        ("project.create", None, {"account_id": acme.account_id, "name": "Shop", "is_default": False}),
    ]
