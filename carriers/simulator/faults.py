"""What the simulated carrier does when things go wrong: faults by script and seed. Pure but for the file."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from random import Random

from carriers.smpp.vocabulary import CommandStatus


class FaultKind(StrEnum):
    """What goes wrong with one submit_sm."""

    REFUSE = "refuse"  # answered with `status`, not taken
    THROTTLE = "throttle"  # answered ESME_RTHROTTLED, not taken
    NACK = "nack"  # answered with a generic_nack of `status`, not taken
    SLOW = "slow"  # taken, answered `seconds` later
    SILENCE = "silence"  # taken, never answered
    LOSE = "lose"  # neither taken nor answered
    DOUBLE_ANSWER = "double-answer"  # taken, answered twice
    CLOSE = "close"  # taken, the connection is reset before the answer
    UNBIND = "unbind"  # taken and answered, then the carrier unbinds
    FREEZE = "freeze"  # taken; the connection stays open and nothing more is ever written to it
    LATE_RECEIPT = "late-receipt"  # the receipt comes `seconds` later than usual
    EARLY_RECEIPT = "early-receipt"  # the receipt is sent before the answer
    DUPLICATE_RECEIPT = "duplicate-receipt"  # the receipt comes twice
    LOST_RECEIPT = "lost-receipt"  # the receipt never comes
    BAD_BYTES = "bad-bytes"  # answered; then `bytes` (hex), or something unreadable chosen by seed, follows


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule: which submit_sm it strikes and how. Every condition given must hold; none given: all."""

    kind: FaultKind
    at: int = 0  # the Nth submit_sm since start, counted from 1
    every: int = 0  # every Nth
    chance: float = 1.0  # with this probability
    after: float = 0.0  # not before this many seconds since start
    lasting: float = 0.0  # and only this many seconds from then; 0: for ever
    count: int = 0  # strike this often at most; 0: no limit
    destination: str = ""  # only numbers that begin with these digits
    status: int = int(CommandStatus.RSYSERR)  # for refuse and nack: a name (RINVDSTADR) or a number (0x0B)
    seconds: float = 5.0  # for slow and late-receipt
    bytes: str = ""  # for bad-bytes: what to send, in hexadecimal


def parse_fault(text: str) -> Fault:
    """Read one fault as `KIND` or `KIND:key=value,key=value`; raises ValueError that says what is wrong."""
    kind, _, rest = text.partition(":")
    values: dict[str, object] = {"kind": kind.strip()}
    for item in filter(None, rest.split(",")):
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if not equals:
            raise ValueError(f"fault {text!r}: {key!r} needs a value (key=value)")
        values[key] = value
    return make_fault(values)


def load_script(path: Path) -> tuple[Fault, ...]:
    """Read the `[[fault]]` tables of a TOML file; raises ValueError naming file and table."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    tables = document.pop("fault", [])
    if document or not isinstance(tables, list):
        raise ValueError(f"{path}: only [[fault]] tables belong in a fault script")
    faults = []
    for number, table in enumerate(tables, 1):
        try:
            faults.append(make_fault(table))
        except ValueError as error:
            raise ValueError(f"{path}: [[fault]] number {number}: {error}") from error
    return tuple(faults)


def make_fault(values: Mapping[str, object]) -> Fault:
    """Build a fault from names and values (strings are converted); raises ValueError naming the key."""
    known = {item.name: item.type for item in fields(Fault)}
    converted: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"fault: unknown key {key!r} (one of {', '.join(known)})")
        try:
            converted[key] = _convert(key, known[key], value)
        except (ValueError, TypeError):
            raise ValueError(f"fault: {key} cannot be {value!r}{_hint(key)}") from None
    if "kind" not in converted:
        raise ValueError(f"fault: a kind is needed{_hint('kind')}")
    return Fault(**converted)  # type: ignore[arg-type]


def _convert(key: str, wanted: object, value: object) -> object:
    """Turn what a script or the command line gives into the type of the field."""
    if key == "kind":
        return FaultKind(str(value))
    if key == "status":
        return parse_status(value)
    if key == "bytes":
        return bytes.fromhex(str(value)).hex()
    if wanted is str:
        return str(value)
    number = int(str(value)) if wanted is int else float(str(value))
    if number < 0 or (key == "chance" and number > 1):
        raise ValueError(key)
    return number


def parse_status(value: object) -> int:
    """Read a command_status: its number (0x0B, 11) or its name (RINVDSTADR, ESME_RINVDSTADR)."""
    if isinstance(value, int):
        return value
    name = str(value).upper().removeprefix("SMPP_").removeprefix("ESME_")
    named = CommandStatus.__members__.get(name)
    return int(str(value), 0) if named is None else int(named)


def _hint(key: str) -> str:
    """Say what would be right, for the keys where it is not obvious."""
    if key == "kind":
        return f" (one of {', '.join(FaultKind)})"
    if key == "chance":
        return " (a number from 0 to 1)"
    return " (a name such as RTHROTTLED, or a number)" if key == "status" else ""


class FaultPlan:
    """Decides for each submit_sm whether something goes wrong; the same seed decides the same."""

    def __init__(self, faults: Iterable[Fault], random: Random) -> None:
        self._faults = [(fault, [fault.count or -1]) for fault in faults]
        self._random = random

    def __bool__(self) -> bool:
        return bool(self._faults)

    def strike(self, number: int, elapsed: float, destination: str) -> Fault | None:
        """Return the first fault that strikes the `number`th submit_sm, `elapsed` seconds after start."""
        for fault, left in self._faults:
            if left[0] and self._strikes(fault, number, elapsed, destination):
                left[0] -= 1
                return fault
        return None

    def _strikes(self, fault: Fault, number: int, elapsed: float, destination: str) -> bool:
        if fault.at and number != fault.at:
            return False
        if fault.every and number % fault.every:
            return False
        if elapsed < fault.after or (fault.lasting and elapsed >= fault.after + fault.lasting):
            return False
        if not destination.startswith(fault.destination):
            return False
        return fault.chance >= 1 or self._random.random() < fault.chance


def garbled(random: Random) -> bytes:
    """Return something no peer can read: an unknown command, a body cut short, or an impossible length."""
    sequence = random.randrange(1, 1 << 31).to_bytes(4, "big")
    return random.choice(
        (
            bytes.fromhex("00000010 00000099 00000000") + sequence,
            bytes.fromhex("00000014 00000005 00000000") + sequence + b"abcd",  # deliver_sm
            bytes.fromhex("00000003 00000005 00000000") + sequence,
        )
    )
