"""Links that open one file for a while, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.links import LinkSigner

SIGNER = LinkSigner(b"k" * 32)


def test_a_link_works_until_it_expires() -> None:
    signature = SIGNER.sign("FILE1", 1000)
    assert SIGNER.verify("FILE1", "1000", signature, now=999)
    assert not SIGNER.verify("FILE1", "1000", signature, now=1000)


def test_a_link_is_for_one_file_one_time_and_one_key() -> None:
    signature = SIGNER.sign("FILE1", 1000)
    assert not SIGNER.verify("FILE2", "1000", signature, now=0)
    assert not SIGNER.verify("FILE1", "1001", signature, now=0)
    assert not LinkSigner(b"x" * 32).verify("FILE1", "1000", signature, now=0)


@pytest.mark.parametrize("expires", ["", "-1", "1e9", "١٠٠٠", "1" * 13, "1000 ", "soon"])
def test_an_expiry_is_a_number(expires: str) -> None:
    assert not SIGNER.verify("FILE1", expires, SIGNER.sign("FILE1", 1000), now=0)


@given(st.text(), st.text(), st.text())
def test_nobody_guesses_one(file_id: str, expires: str, signature: str) -> None:
    assert not SIGNER.verify(file_id, expires, signature, now=0)


def test_the_key_is_not_shown() -> None:
    assert "kkk" not in repr(SIGNER)
