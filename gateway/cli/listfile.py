"""Files of numbers: `phone,purpose,remark` lines, looked at whole before the first of them counts."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gateway.api.scloud.blacklist import read_number
from gateway.domain.lists import ANY_PURPOSE, MAX_REMARK, PURPOSES
from gateway.domain.message import Purpose
from gateway.domain.template import is_clean
from gateway.errors import Invalid
from routing.number import NumberReader

HEADER = ("phone", "purpose", "remark")
_SHOWN = 10  # lines that cannot be used, told of in one error

Entry = tuple[int, int, str]  # phone, purpose, remark

PURPOSE_WORDS = {ANY_PURPOSE: "all"} | {int(purpose): purpose.name.lower() for purpose in Purpose}
_PURPOSES = {str(purpose): purpose for purpose in PURPOSES} | {
    word: purpose for purpose, word in PURPOSE_WORDS.items()
}


def list_purpose(text: str) -> int:
    """Return the purpose meant by its number or word, `all` or 0 for every one; raises `Invalid`."""
    found = _PURPOSES.get(text.strip().lower())
    if found is None:
        raise Invalid(f"{text!r} is no purpose: {', '.join(f'{n} {w}' for n, w in PURPOSE_WORDS.items())}")
    return found


def list_number(reader: NumberReader, given: str) -> int:
    """Return the digits of a number as `(60)12…`, `+6012…` or `6012…`; raises `Invalid`."""
    number = read_number(reader, given)
    if number is None:
        raise Invalid(f"{given!r} is no telephone number: write (60)123456789 or +60123456789")
    return int(number.digits)


def checked_remark(remark: str) -> str:
    """Return `remark` if it can be kept; raises `Invalid`."""
    if len(remark) > MAX_REMARK or not is_clean(remark):
        raise Invalid(f"a remark has at most {MAX_REMARK} characters, none of them control characters")
    return remark


def check_file(path: Path, reader: NumberReader, purpose: int) -> int:
    """Return how many numbers the file has; raises `Invalid` that names the lines that cannot be used."""
    problems: list[str] = []
    count = 0
    for number, row in _rows(path):
        try:
            _entry(row, reader, purpose)
            count += 1
        except Invalid as error:
            problems.append(f"line {number}: {error}")
            if len(problems) == _SHOWN:
                problems.append("…")
                break
    if problems:
        raise Invalid(f"{path} was not imported: " + "; ".join(problems))
    return count


def chunks(path: Path, reader: NumberReader, purpose: int, size: int) -> Iterator[list[Entry]]:
    """Yield the entries of a file that was checked, `size` at a time; `purpose` where a line names none."""
    entries = (_entry(row, reader, purpose) for _, row in _rows(path))
    while chunk := list(islice(entries, size)):
        yield chunk


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            for row in lines:
                if any(row) and not (lines.line_num == 1 and row[0].strip().lower() == HEADER[0]):
                    yield lines.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"{path} cannot be read: {error}") from None


def _entry(row: list[str], reader: NumberReader, purpose: int) -> Entry:
    if len(row) > len(HEADER):
        raise Invalid(f"more than {', '.join(HEADER)}")
    phone, named, remark = (*row, "", "")[: len(HEADER)]
    return (
        list_number(reader, phone),
        list_purpose(named) if named.strip() else purpose,
        checked_remark(remark),
    )
