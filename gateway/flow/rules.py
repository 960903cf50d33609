"""The rules of the automatic review: read when something starts, and again when their file changes."""

import os
from pathlib import Path

import structlog

from config.load import ConfigError
from config.rules import SHIPPED, load_rules
from config.schema import ReviewSettings
from gateway.domain.check import Checks

log = structlog.get_logger(__name__)

Stamp = tuple[int, int, int]


def checks_of(settings: ReviewSettings) -> Checks:
    """Return the checks with the rules that the settings name; raises `ConfigError`."""
    return Checks(load_rules(_path(settings)))


class RuleFile:
    """The checks as the rule file has them now; one with mistakes is told of and not used."""

    def __init__(self, settings: ReviewSettings) -> None:
        """Read the file; raises `ConfigError`."""
        self._path = _path(settings)
        self._stamp = self._look()
        self.checks = Checks(load_rules(self._path))

    def refresh(self) -> None:
        """Take over the file if it changed; blocks for some milliseconds then."""
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return  # gone: an editor is writing it, or somebody will notice at the next start
        self._stamp = stamp
        try:
            self.checks = Checks(load_rules(self._path))
        except ConfigError as error:
            log.error("review rules not taken over", problems=list(error.problems))
            return
        log.info("review rules taken over", file=str(self._path), rules=len(self.checks.rules.rule))

    def _look(self) -> Stamp | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _path(settings: ReviewSettings) -> Path:
    return Path(settings.rules) if settings.rules else SHIPPED
