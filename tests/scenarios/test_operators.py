"""Operators of a whole gateway: the first password, the first session, and what both doors write down."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.admin import Person
from tests.support.customer import RawCustomer
from tests.support.gateway import Site
from tests.support.processes import wait_for

pytestmark = pytest.mark.slow

WORDS = re.compile(r"^operator admin, one-time password: (\S+)$", re.MULTILINE)
NEW = "a horse of another colour"
PAGE = Path(__file__).parents[2] / "docs" / "admin-api.md"


def base(site: Site) -> str:
    return f"http://127.0.0.1:{site.admin_port}"


def first_password(site: Site) -> str:
    (password,) = WORDS.findall(site.gateway.log.read_text())
    return str(password)


async def test_the_first_start_lets_one_person_in_and_everything_they_do_is_written_down(site: Site) -> None:
    site.write_config()
    site.start_gateway(bound=False)
    password = first_password(site)
    admin = Person(base(site))
    try:
        assert (await admin.login("admin", password)).json["must_change_password"] is True
        assert (await admin.get("/accounts")).status == 403
        changed = await admin.post("/password", {"current": password, "new": NEW})
        admin.csrf = changed.json["csrf_token"]
        made = await admin.post("/accounts", {"name": "Acme", "reason": "contract 12"})
        account = made.json["account_id"]
        site.cli("account", "credit", account, "5", "--note", "invoice 7", "--as", "admin")
        assert (await admin.get(f"/accounts/{account}")).json["available"] == "5.00"
        newest, older = (await admin.get("/audit?action=account.")).json["items"]
        assert (newest["actor"], newest["actor_kind"], newest["reason"]) == ("admin", "cli", "invoice 7")
        assert (older["actor"], older["actor_kind"], older["reason"]) == ("admin", "operator", "contract 12")
        channel = (await admin.get("/channels")).json["items"][0]
        assert (channel["id"], channel["up"]) == ("sim-1", False)
        assert (await admin.get("/status")).json["ready"] is True
    finally:
        await admin.http.close()


def test_the_first_password_is_told_once_and_kept_nowhere(site: Site) -> None:
    site.write_config()
    site.start_gateway(bound=False)
    password = first_password(site)
    log = site.gateway.log.read_text()
    assert log.count(password) == 1
    assert all(password not in line for line in log.splitlines() if line.startswith("{"))
    for file in site.directory.glob("gateway.db*"):
        assert password.encode() not in file.read_bytes()
    site.gateway.terminate()
    site.start_gateway(bound=False)
    assert len(WORDS.findall(site.gateway.log.read_text())) == 1  # one log for both runs


async def test_a_session_a_lock_out_and_a_token_outlive_the_process(site: Site) -> None:
    site.write_config()
    made = site.cli("operator", "create", "alice", "--role", "operator")
    token = site.cli("operator", "token", "create", "alice", "--label", "ci")["token"]
    site.start_gateway(bound=False)
    alice, program = Person(base(site)), Person(base(site), {"Authorization": f"Bearer {token}"})
    guesser = Person(base(site))
    try:
        await alice.login("alice", made["one_time_password"])
        for _ in range(5):
            assert (await guesser.login("bob", "wrong")).status == 401
        site.gateway.kill()
        site.start_gateway(bound=False)
        assert (await alice.get("/me")).json["name"] == "alice"
        assert (await program.get("/me")).json["kind"] == "token"
        assert (await guesser.login("bob", "wrong")).status == 429
        site.cli("operator", "disable", "alice")
        assert (await alice.get("/me")).status == 401
        assert (await program.get("/me")).status == 401
    finally:
        for person in (alice, program, guesser):
            await person.http.close()


async def test_what_is_restricted_at_the_desk_is_refused_at_the_counter(site: Site) -> None:
    site.write_config()
    account = site.customer()
    site.cli("operator", "create", "alice", "--role", "operator")
    token = site.cli("operator", "token", "create", "alice", "--label", "ci")["token"]
    site.start_simulator("--receipts", "delivered")
    site.start_gateway()
    customer = RawCustomer(site, account)
    assert customer.send("(60)123456789")["RetCode"] == 0
    program = Person(base(site), {"Authorization": f"Bearer {token}"})
    try:
        answer = await program.post(f"/accounts/{account.account_id}/restrict", {"reason": "unpaid"})
        assert answer.json["state"] == "restricted"
    finally:
        await program.http.close()
    wait_for("refusal", lambda: customer.send("(60)123456789")["RetCode"] == 173, 5.0)


def test_the_pages_commands_work_as_they_stand(site: Site) -> None:
    site.write_config()
    site.start_gateway(bound=False)
    (script,) = re.findall(r"```sh\n(curl.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    environment = {**os.environ, "ADMIN": base(site), "PASSWORD": first_password(site)}
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=site.directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    decoder = json.JSONDecoder()
    made, end = decoder.raw_decode(done.stdout)
    audit: dict[str, Any] = decoder.decode(done.stdout[end:])
    assert [one["subject_id"] for one in audit["items"]] == [made["account_id"]]
