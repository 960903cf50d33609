"""Files of numbers: all of their mistakes, before anything is done."""

from pathlib import Path

import pytest

from gateway.cli.listfile import check_file, chunks, list_purpose
from gateway.errors import Invalid
from routing.number import NumberReader
from tests.support.scloud import PLAN

READER = NumberReader(PLAN, "CN")


def file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_line_may_name_a_purpose_and_a_remark(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        '\ufeffPhone\r\n+60123456789\r\n\r\n(65)91234567, 3,"a, b"\r\n6591234568,0\r\n',
    )
    assert check_file(path, READER, 3) == 3
    assert list(chunks(path, READER, 3, 2)) == [
        [(60123456789, 3, ""), (6591234567, 3, "a, b")],
        [(6591234568, 0, "")],
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("+60123456789\n12\nabc", r"line 2: '12' is no telephone number.*line 3: 'abc'"),
        ("+60123456789,otp", "line 1: 'otp' is no purpose"),
        ("+60123456789,1," + "x" * 257, "at most 256 characters"),
        ("+60123456789,1,a,b", "more than phone, purpose, remark"),
        (b"\xff\xfe", "cannot be read"),
        ("\n".join(["12"] * 50), r"line 10: .*; …$"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, content: str | bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        check_file(file(tmp_path, content), READER, 0)


def test_an_empty_file_has_no_numbers(tmp_path: Path) -> None:
    assert check_file(file(tmp_path, "phone,purpose,remark\n"), READER, 0) == 0


@pytest.mark.parametrize(("text", "purpose"), [("all", 0), ("0", 0), (" Promotion ", 3), ("1", 1)])
def test_a_purpose_is_a_number_or_a_word(text: str, purpose: int) -> None:
    assert list_purpose(text) == purpose
