"""The carrier's counters."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Stats:
    """What happened since start; `bound`, `unanswered` and `owed` are as of now."""

    connections: int = 0
    binds: int = 0
    binds_refused: int = 0
    bound: int = 0
    peak_bound: int = 0
    unbinds: int = 0  # sessions the customer ended properly
    submits: int = 0  # every submit_sm read
    taken: int = 0  # … of them answered, or to be answered, ESME_ROK
    peak_unanswered: int = 0  # most submit_sm one session had open at once
    receipts_sent: int = 0  # deliver_sm, repeats included
    receipts_acknowledged: int = 0
    receipts_put_off: int = 0  # answered with a temporary error
    receipts_refused: int = 0  # answered with a permanent error
    owed: int = 0  # receipts not yet acknowledged, the ones not yet due included
    mo_sent: int = 0  # deliver_sm of handsets, repeats included
    mo_acknowledged: int = 0
    mo_put_off: int = 0  # answered with a temporary error, or not at all
    mo_refused: int = 0  # answered with a permanent error
    mo_owed: int = 0  # not yet acknowledged, the ones not yet due included
    enquire_links: int = 0  # received
    probes_answered: int = 0  # enquire_link_resp received
    bad_pdus: int = 0
    statuses: Counter[int] = field(default_factory=Counter)  # submit_sm_resp by command_status
    faults: Counter[str] = field(default_factory=Counter)  # struck, by kind

    def as_json(self) -> dict[str, Any]:
        """Return the counters ready for JSON; statuses as hexadecimal."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["statuses"] = {f"0x{status:02X}": count for status, count in self.statuses.items()}
        values["faults"] = {str(kind): count for kind, count in self.faults.items()}
        return values
