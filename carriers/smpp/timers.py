"""The SMPP timers (§2.9) as plain arithmetic: time comes in as `now`, in monotonic seconds."""

import math
from enum import Enum

from config.schema import TimerConfig


class Timer(Enum):
    """What runs out."""

    PHASE = "phase"  # bind or unbind has no answer
    READ = "read"  # a PDU begun is not finished
    PROBE = "probe"  # time to send enquire_link
    SILENCE = "silence"  # nothing came since enquire_link was sent


class Timers:
    """When the session must do something although the peer does nothing."""

    __slots__ = ("_config", "_heard_at", "_phase_ends", "_probed_at", "_reading_since")

    def __init__(self, config: TimerConfig, now: float) -> None:
        self._config = config
        self._heard_at = now
        self._phase_ends: float | None = None
        self._probed_at: float | None = None
        self._reading_since: float | None = None

    def heard(self, now: float) -> None:
        """A whole PDU came: the peer lives."""
        self._heard_at = now
        self._probed_at = None
        self._reading_since = None

    def reading(self, partial: bool, now: float) -> None:
        """Some bytes came; `partial`: they end within a PDU. Its time counts from its first byte."""
        if not partial:
            self._reading_since = None
        elif self._reading_since is None:
            self._reading_since = now

    def begin_phase(self, seconds: float, now: float) -> None:
        """Start waiting for the end of bind or unbind; enquire_link rests meanwhile."""
        self._phase_ends = now + seconds

    def end_phase(self, now: float) -> None:
        """Bind is over: from now on silence counts."""
        self._phase_ends = None
        self._heard_at = now

    def probed(self, now: float) -> None:
        """An enquire_link was sent."""
        self._probed_at = now

    def deadlines(self) -> dict[Timer, float]:
        """Return when each running timer runs out."""
        config, running = self._config, {}
        if self._reading_since is not None:
            running[Timer.READ] = self._reading_since + config.read
        if self._phase_ends is not None:
            running[Timer.PHASE] = self._phase_ends
        elif self._probed_at is not None:
            running[Timer.SILENCE] = self._probed_at + config.response
        else:
            running[Timer.PROBE] = self._heard_at + config.enquire_link
        return running

    def due(self, now: float) -> list[Timer]:
        """Return the timers that have run out."""
        return [timer for timer, at in self.deadlines().items() if at <= now]

    def next_deadline(self) -> float:
        """Return when the next one runs out."""
        return min(self.deadlines().values(), default=math.inf)
