"""Files customers hand in: read out of a request, and of a kind that they are and say they are."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import PurePath

MAX_BYTES = 4 * 1024 * 1024  # decoded
MAX_NAME = 100

_SUFFIXES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".pdf": "application/pdf",
}
_SPELLINGS = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_EXTENSION = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}
# how each begins (JPEG: ITU T.81 B.1.1.2, PNG: RFC 2083 §3.1, PDF: ISO 32000 §7.5.2)
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))
_PREFIX = re.compile(r"(?:data:)?([a-z]+/[a-z0-9.+-]+)(?:;[a-z0-9=_-]+)*;base64,", re.IGNORECASE | re.ASCII)
_BLANKS = re.compile(r"[\r\n\t ]+")


class NotBase64(ValueError):
    """The text is not a file's content in base64."""


class BadPaper(ValueError):
    """The file is too large, empty, of another kind, or not of the kind it is said to be."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that was checked: at most 4 MB, and a JPEG, PNG or PDF by its own first bytes."""

    data: bytes = field(repr=False)
    type: str
    name: str


def read_paper(text: str, name: str = "", claimed: str = "") -> Paper:
    """Return the file in `text`: base64, alone or behind `image/jpeg;base64,` or `data:image/jpeg;base64,`.

    Raises `NotBase64`, or `BadPaper`, also when prefix, suffix of `name` or `claimed` say another kind.
    """
    claims = [claimed] if claimed else []
    if prefix := _PREFIX.match(text):
        claims.append(prefix[1])
        text = text[prefix.end() :]
    # before anything is decoded: four characters for three bytes, and line breaks
    if len(text) > MAX_BYTES * 4 // 3 + MAX_BYTES // 16:
        raise BadPaper(f"a file has at most {MAX_BYTES} bytes")
    try:
        data = base64.b64decode(_BLANKS.sub("", text), validate=True)
    except (binascii.Error, ValueError):
        raise NotBase64("not base64") from None
    kind = _kind(data)
    if name:
        claims.append(_SUFFIXES.get(PurePath(name).suffix.lower(), "another kind"))
    for claim in claims:
        if _SPELLINGS.get(claim.lower(), claim.lower()) != kind:
            raise BadPaper(f"the file is {kind}, not what it is said to be")
    return Paper(data, kind, _checked_name(name) if name else f"file{_EXTENSION[kind]}")


def _kind(data: bytes) -> str:
    if not data:
        raise BadPaper("the file is empty")
    if len(data) > MAX_BYTES:
        raise BadPaper(f"a file has at most {MAX_BYTES} bytes")
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    raise BadPaper("a file is a JPEG, PNG or PDF")


def _checked_name(name: str) -> str:
    # the last part of a path, whichever slash the sender's system has
    name = name.replace("\\", "/").rpartition("/")[2].strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise BadPaper(f"a file's name has 1 to {MAX_NAME} printable characters")
    return name
