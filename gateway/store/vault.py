"""The bytes of customers' files, each under its hash in a directory beside the database.

A file stands under its name only when it is whole and durable. Who stores one holds the vault (shared) until
the row that names it is committed; the sweep holds it alone, so it takes away nothing about to be named.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

CHUNK = 200  # files looked at while nobody can store one

_HASH = re.compile(r"[0-9a-f]{64}")
_OURS = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\.[0-9a-f]{8}")

Known = Callable[[Sequence[str]], set[str]]


class Vault:
    """A directory of files by their SHA-256; every method blocks."""

    def __init__(self, directory: Path) -> None:
        """Touches nothing before it is used."""
        self._directory = directory

    @contextlib.contextmanager
    def held(self, *, alone: bool = False) -> Iterator[None]:
        """Hold the vault against sweeps, or `alone` against everybody."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)  # lets go of the lock too

    def put(self, data: bytes) -> str:
        """Store `data` durably, return its hash; call it while the vault is `held`."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
            self._write(data, path)
        # the names must survive a power cut too; one that is there may be another's who is not so far yet
        for directory in (path.parent, self._directory, self._directory.parent):
            _sync(directory)
        return digest

    def _write(self, data: bytes, path: Path) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def path(self, digest: str) -> Path:
        """Return where the bytes with this hash stand, or would; raises ValueError for what is no hash."""
        if _HASH.fullmatch(digest) is None:
            raise ValueError(f"{digest!r} is no SHA-256")
        return self._directory / digest[:2] / digest

    def sweep(self, known: Known) -> int:
        """Delete every file whose hash `known` does not return, and what crashes left; return how many."""
        swept = 0
        for directory in sorted(self._directory.glob("[0-9a-f][0-9a-f]")):
            names = sorted(os.listdir(directory))
            for start in range(0, len(names), CHUNK):
                swept += self._sweep(directory, names[start : start + CHUNK], known)
        return swept

    def _sweep(self, directory: Path, names: Sequence[str], known: Known) -> int:
        with self.held(alone=True):
            whole = [name for name in names if _HASH.fullmatch(name)]
            kept = known(whole)
            gone = [name for name in names if name not in kept and _OURS.fullmatch(name)]
            for name in gone:
                (directory / name).unlink(missing_ok=True)
        return len(gone)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
