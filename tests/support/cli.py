"""The command line, run in this process."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.cli import main
from tests.support.database import prepare


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed and answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


class CommandLine:
    """Runs `scloud-sms` in a directory of its own, which `config init` has prepared."""

    def __init__(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.directory = directory
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(directory)
        assert self("config", "init").code == 0
        prepare(directory / "gateway.db")  # as the first command would make it, every time anew

    def __call__(self, *arguments: str) -> Done:
        """Run one command to its end."""
        self._monkeypatch.setattr(sys, "argv", ["scloud-sms", *arguments])
        code = 0
        with undisturbed():
            try:
                main()
            except SystemExit as exit_:
                # a text is printed to standard error by the interpreter, which is not us here
                code = exit_.code if isinstance(exit_.code, int) else 1 if exit_.code else 0
                if isinstance(exit_.code, str):
                    print(exit_.code, file=sys.stderr)
        out, err = self._capsys.readouterr()
        return Done(code, out, err)

    def account(self, name: str = "Acme") -> dict[str, str]:
        """Make an account."""
        made: dict[str, str] = self("account", "create", name, "--json").json
        return made


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave logging and the file mode mask of the test process as they were."""
    handlers, level, mask = logging.root.handlers, logging.root.level, os.umask(0o022)
    try:
        yield
    finally:
        logging.root.handlers, logging.root.level = handlers, level
        os.umask(mask)
        structlog.reset_defaults()
