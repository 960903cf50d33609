"""Files out of requests: every spelling clients use, and what is refused before it costs anything."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.paper import MAX_BYTES, BadPaper, NotBase64, read_paper

JPG = b"\xff\xd8\xff\xe0" + b"photo"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
PDF = b"%PDF-1.7\n" + b"page"


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "prefix", ["", "image/jpeg;base64,", "data:image/jpeg;base64,", "DATA:image/JPG;base64,"]
)
def test_a_picture_comes_bare_or_behind_its_type(prefix: str) -> None:
    paper = read_paper(prefix + text(JPG))
    assert (paper.data, paper.type, paper.name) == (JPG, "image/jpeg", "file.jpg")


@pytest.mark.parametrize(
    ("data", "kind"), [(JPG, "image/jpeg"), (PNG, "image/png"), (PDF, "application/pdf")]
)
def test_the_type_is_what_the_bytes_are(data: bytes, kind: str) -> None:
    assert read_paper(text(data)).type == kind


def test_line_breaks_are_no_part_of_base64() -> None:
    wrapped = "\r\n".join(text(PNG * 30)[at : at + 76] for at in range(0, len(text(PNG * 30)), 76))
    assert read_paper(wrapped).data == PNG * 30


@pytest.mark.parametrize(
    "name", ["licence.png", "licence.PNG", "C:\\scans\\licence.png", "/home/me/营业执照.png"]
)
def test_a_name_is_kept_without_its_path(name: str) -> None:
    assert read_paper(text(PNG), name).name in ("licence.png", "licence.PNG", "营业执照.png")


@pytest.mark.parametrize(
    ("given", "name", "claimed"),
    [
        (text(PNG), "licence.jpg", ""),
        (text(PNG), "licence", ""),
        (text(PNG), "licence.png.exe", ""),
        (text(PNG), "licence.png", "image/jpeg"),
        ("image/jpeg;base64," + text(PNG), "licence.png", ""),
        (text(b"<html>"), "", ""),
        (text(b"GIF89a"), "", ""),
        ("", "", ""),
        (text(PNG), "x" * 97 + ".png", ""),
        (text(PNG), "two\nlines.png", ""),
        (text(PNG + bytes(MAX_BYTES)), "", ""),
    ],
)
def test_another_kind_size_or_name_is_refused(given: str, name: str, claimed: str) -> None:
    with pytest.raises(BadPaper):
        read_paper(given, name, claimed)


def test_four_megabytes_are_taken_and_not_a_byte_more() -> None:
    whole = PNG + bytes(MAX_BYTES - len(PNG))
    assert len(read_paper(text(whole)).data) == MAX_BYTES
    with pytest.raises(BadPaper, match="at most"):
        read_paper(text(whole + b"\0"))


def test_what_is_far_too_long_is_not_even_decoded() -> None:
    with pytest.raises(BadPaper, match="at most"):
        read_paper("%" * (MAX_BYTES * 2))


@pytest.mark.parametrize("given", ["%%%", "abc", "image/png;base64,***", "data:image/png," + text(PNG)])
def test_what_is_no_base64_is_refused(given: str) -> None:
    with pytest.raises(NotBase64):
        read_paper(given)


@given(st.text(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_nothing_else_comes_out(given: str, name: str, claimed: str) -> None:
    try:
        read_paper(given, name, claimed)
    except (NotBase64, BadPaper):
        return
