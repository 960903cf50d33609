"""What a command_status means: for a message, for the bind, for a person who reads a log."""

from collections.abc import Mapping
from enum import Enum

from smpplib.consts import DESCRIPTIONS

from carriers.results import Disposition
from carriers.smpp.vocabulary import CommandStatus

# Where carriers disagree (0x45, 0x08, vendor codes) the milder class stands here: an error read as temporary
# costs retries, one read for permanent costs the message. `statuses` of a channel overrides single lines.
_CLASSES: dict[Disposition, tuple[CommandStatus, ...]] = {
    Disposition.OK: (CommandStatus.ROK,),
    Disposition.THROTTLE: (CommandStatus.RTHROTTLED, CommandStatus.RMSGQFUL),
    Disposition.TEMPORARY: (
        CommandStatus.RSYSERR,
        CommandStatus.RX_T_APPN,
        CommandStatus.RSUBMITFAIL,
        CommandStatus.RDELIVERYFAILURE,
        CommandStatus.RUNKNOWNERR,
        CommandStatus.RCANCELFAIL,
        CommandStatus.RREPLACEFAIL,
        CommandStatus.RQUERYFAIL,
    ),
    Disposition.ROUTE: (
        CommandStatus.RINVSRCADR,
        CommandStatus.RINVSRCTON,
        CommandStatus.RINVSRCNPI,
        CommandStatus.RINVSERTYP,
        CommandStatus.RX_R_APPN,
        CommandStatus.RSERTYPUNAUTH,
        CommandStatus.RPROHIBITED,
        CommandStatus.RSERTYPUNAVAIL,
        CommandStatus.RSERTYPDENIED,
        CommandStatus.RINVSRCADDRSUBUNIT,
    ),
    Disposition.PERMANENT: (
        CommandStatus.RINVMSGLEN,
        CommandStatus.RINVCMDLEN,
        CommandStatus.RINVCMDID,
        CommandStatus.RINVPRTFLG,
        CommandStatus.RINVREGDLVFLG,
        CommandStatus.RINVDSTADR,
        CommandStatus.RINVMSGID,
        CommandStatus.RINVNUMDESTS,
        CommandStatus.RINVDLNAME,
        CommandStatus.RINVDESTFLAG,
        CommandStatus.RINVSUBREP,
        CommandStatus.RINVESMCLASS,
        CommandStatus.RCNTSUBDL,
        CommandStatus.RINVDSTTON,
        CommandStatus.RINVDSTNPI,
        CommandStatus.RINVREPFLAG,
        CommandStatus.RINVNUMMSGS,
        CommandStatus.RINVSCHED,
        CommandStatus.RINVEXPIRY,
        CommandStatus.RINVDFTMSGID,
        CommandStatus.RX_P_APPN,
        CommandStatus.RINVOPTPARSTREAM,
        CommandStatus.ROPTPARNOTALLWD,
        CommandStatus.RINVPARLEN,
        CommandStatus.RMISSINGOPTPARAM,
        CommandStatus.RINVOPTPARAMVAL,
        CommandStatus.RINVDCS,
        CommandStatus.RINVDSTADDRSUBUNIT,
    ),
    Disposition.BIND: (
        CommandStatus.RINVBNDSTS,
        CommandStatus.RALYBND,
        CommandStatus.RBINDFAIL,
        CommandStatus.RINVPASWD,
        CommandStatus.RINVSYSID,
        CommandStatus.RINVSYSTYP,
    ),
}

DISPOSITIONS: dict[int, Disposition] = {
    int(status): disposition for disposition, statuses in _CLASSES.items() for status in statuses
}
UNKNOWN_STATUS = (
    Disposition.TEMPORARY
)  # a vendor's code nobody told us about: try again, elsewhere if need be


def disposition(status: int, overrides: Mapping[int, Disposition] | None = None) -> Disposition:
    """Return what `status` means for a submitted message, by `overrides` first, then by our table."""
    if overrides and status in overrides:
        return overrides[status]
    return DISPOSITIONS.get(status, UNKNOWN_STATUS)


def is_known(status: int) -> bool:
    """Return whether our table knows `status`; others are worth a metric and an override."""
    return status in DISPOSITIONS


def status_name(status: int) -> str:
    """Return the standard's name, for instance `ESME_RTHROTTLED`, or the number as `0x00000401`."""
    try:
        return f"ESME_{CommandStatus(status).name}"
    except ValueError:
        return f"0x{status:08x}"


def status_description(status: int) -> str:
    """Return the standard's sentence about `status`, or "" if it has none."""
    text: str = DESCRIPTIONS.get(status, "")
    return "" if text.startswith("<") else text


def parse_status(key: str) -> int:
    """Return the status `key` names: `ESME_RTHROTTLED`, `RTHROTTLED`, `0x58` or `88`; raises ValueError."""
    name = key.strip().upper().removeprefix("ESME_")
    if name in CommandStatus.__members__:
        return int(CommandStatus[name])
    try:
        number = int(name, 0)
    except ValueError:
        raise ValueError(f"{key!r} is neither a command_status name nor a number") from None
    if not 0 <= number <= 0xFFFF_FFFF:
        raise ValueError(f"{key!r} does not fit 32 bits")
    return number


def parse_overrides(statuses: Mapping[str, str]) -> dict[int, Disposition]:
    """Return a channel's `statuses` as a table; raises ValueError naming the line.

    ESME_ROK cannot be overridden: an accepted message stays accepted.
    """
    overrides: dict[int, Disposition] = {}
    for key, word in statuses.items():
        status = parse_status(key)
        try:
            overrides[status] = Disposition(word)
        except ValueError:
            words = ", ".join(each.value for each in Disposition)
            raise ValueError(f"{key}: {word!r} is none of {words}") from None
        if status == CommandStatus.ROK and overrides[status] is not Disposition.OK:
            raise ValueError(f"{key}: ESME_ROK always means ok")
    return overrides


class BindFailure(Enum):
    """Why a bind was refused, as far as it matters for the next try."""

    CREDENTIALS = "credentials"  # only a person can help: long back-off, alarm
    ALREADY_BOUND = "already bound"  # an older session of ours is still there: wait until it is noticed dead
    TEMPORARY = "temporary"  # short back-off


_BIND_FAILURES = {
    int(CommandStatus.RINVPASWD): BindFailure.CREDENTIALS,
    int(CommandStatus.RINVSYSID): BindFailure.CREDENTIALS,
    int(CommandStatus.RINVSYSTYP): BindFailure.CREDENTIALS,
    int(
        CommandStatus.RBINDFAIL
    ): BindFailure.CREDENTIALS,  # what SMSCs answer that do not tell which was wrong
    int(CommandStatus.RALYBND): BindFailure.ALREADY_BOUND,
    int(CommandStatus.RINVBNDSTS): BindFailure.ALREADY_BOUND,
}


def bind_failure(status: int) -> BindFailure:
    """Return the class of a bind response's `status`."""
    return _BIND_FAILURES.get(status, BindFailure.TEMPORARY)
