"""Passwords: hashed so that guessing is dear, checked so that nothing is told."""

import re

from argon2 import PasswordHasher

from gateway.auth.passwords import hash_password, needs_rehash, one_time_password, verify_password


def test_a_password_opens_what_was_made_from_it_and_nothing_else_does() -> None:
    stored = hash_password("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert "correct" not in stored
    assert verify_password(stored, "correct horse battery")
    assert not verify_password(stored, "correct horse batterz")
    assert not verify_password(stored, "")


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("correct horse battery") != hash_password("correct horse battery")


def test_nobodys_password_is_always_wrong() -> None:
    assert not verify_password(None, "correct horse battery")
    assert not verify_password(None, "")
    assert not verify_password("no hash at all", "correct horse battery")


def test_one_password_is_one_however_the_keyboard_writes_it() -> None:
    assert verify_password(hash_password("pässwörter für alle"), "pässwörter für alle")


def test_what_is_no_text_is_a_wrong_password() -> None:
    assert not verify_password(hash_password("correct horse battery"), "\ud800" * 12)


def test_a_hash_of_other_costs_still_opens_and_is_told_to_be_old() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("correct horse battery")
    assert verify_password(old, "correct horse battery")
    assert needs_rehash(old)
    assert not needs_rehash(hash_password("correct horse battery"))


def test_a_one_time_password_is_random_and_can_be_typed() -> None:
    drawn = {one_time_password() for _ in range(50)}
    assert len(drawn) == 50
    assert all(re.fullmatch(r"([a-z2-9]{4}-){4}[a-z2-9]{4}", password) for password in drawn)
