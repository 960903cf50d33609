"""Notes what the rules do and would do: gathered in memory for a moment, then added to the day's counts."""

import asyncio
from datetime import UTC, datetime

import structlog

from config.schema import RiskMode, RiskRule
from gateway.errors import GatewayError
from gateway.flow.context import Context
from gateway.store.changes import Changes, Row
from routing.number import mask

log = structlog.get_logger(__name__)

INTERVAL = 1.0  # seconds between two commits; a crash loses what was noted since the last one
SAMPLES = 5  # a day, for each account, rule and mode
MOST = 20_000  # different counts kept while the store cannot take them

Key = tuple[str, str, str, str]  # day, account, rule, mode


class Verdicts:
    """Counts verdicts by day, account, rule and mode, and keeps a few examples of each."""

    def __init__(self, context: Context) -> None:
        self._journal = context.journal
        self._clock = context.clock
        self._metric = context.metrics.risk.verdicts
        self._counts: dict[Key, int] = {}
        self._samples: list[Row] = []
        self._sampled: dict[Key, int] = {}  # of the current day
        self._day = ""

    def note(
        self,
        account_id: str,
        rule: RiskRule,
        mode: RiskMode,
        *,
        count: int = 1,
        phone: str = "",
        detail: str = "",
    ) -> None:
        """Count verdicts; `phone` and `detail` tell of one of them."""
        self._metric.add(count, rule.value, mode.value)
        now_ms = self._clock.now_ms()
        day = _day(now_ms)
        if day != self._day:
            self._day, self._sampled = day, {}
        key = (day, account_id, rule.value, mode.value)
        if key not in self._counts and len(self._counts) >= MOST:
            return
        self._counts[key] = self._counts.get(key, 0) + count
        sampled = self._sampled.get(key, 0)
        if sampled < SAMPLES:
            self._sampled[key] = sampled + 1
            self._samples.append((*key, now_ms, mask(phone), detail))

    async def run(self) -> None:
        """Write what was noted, again and again, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.flush()
            except GatewayError as error:
                log.warning("risk counts put off", error=str(error))

    async def flush(self) -> None:
        """Write what was noted; raises `StoreUnavailable`, and keeps it then."""
        if not self._counts:
            return
        counts, self._counts = self._counts, {}
        samples, self._samples = self._samples, []
        rows = [(*key, count) for key, count in counts.items()]
        try:
            await self._journal.append(Changes(risk_counts=rows, risk_samples=samples))
        except GatewayError:
            for key, count in counts.items():
                self._counts[key] = self._counts.get(key, 0) + count
            self._samples = samples + self._samples
            raise


def _day(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
