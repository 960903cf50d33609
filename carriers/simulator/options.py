"""Every option of the simulated carrier; the comments are its help."""

from dataclasses import dataclass, field
from pathlib import Path

from carriers.simulator.behaviour import MessageIdForm, ReceiptIdForm
from carriers.simulator.faults import Fault
from carriers.simulator.handsets import MoScript


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """What the carrier is like. Wrong values raise ValueError when the simulator is made."""

    host: str = "127.0.0.1"  # address to listen on
    port: int = 2775  # TCP port to listen on; 0 picks a free one
    tls_cert: str | None = None  # certificate chain, PEM: speak TLS
    tls_key: str | None = None  # its private key, PEM
    accounts: dict[str, str] = field(default_factory=dict)  # system_id → password; empty: everybody may bind
    max_binds: int = 0  # sessions of one system_id at most, 0 = no limit
    receipts: str = "delivered"  # outcome mix, e.g. delivered=0.97,undelivered=0.02,none=0.01
    receipt_delay: str = "0.1"  # seconds from answer to receipt: 2, 0.5-3 (evenly) or exp:1.5 (mean)
    receipt_window: int = 1000  # unacknowledged receipts a session may have
    receipt_retry: float = 1.0  # seconds until a receipt refused with a temporary error is sent again
    receipt_tlvs: bool = True  # receipted_message_id and message_state beside the text
    id_form: MessageIdForm = MessageIdForm.DECIMAL  # message ids: decimal, hex or uuid
    receipt_id_form: ReceiptIdForm = ReceiptIdForm.SAME  # ids in receipts: same, decimal or hex
    answer_delay: str = "0"  # seconds from submit_sm to its answer, same forms as the receipt delay
    rate: int = 0  # submit_sm a second; beyond it ESME_RTHROTTLED; 0 = no limit
    enquire_link: float = 30.0  # seconds of silence before the carrier asks
    response_timeout: float = 30.0  # seconds to wait for a bind or a response before closing
    faults: tuple[Fault, ...] = ()  # what goes wrong, the first that strikes wins
    mos: tuple[MoScript, ...] = ()  # messages of handsets
    mo_file: Path | None = None  # more of them, one a line; lines appended later are sent as they come
    seed: int | None = None  # the same seed draws the same outcomes, delays and faults
    record: Path | None = None  # append every event to this file; receipts owed in it are sent again
    stats_file: Path | None = None  # write the counters here once a second, as JSON
