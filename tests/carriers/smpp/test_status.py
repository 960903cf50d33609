"""What carriers' codes mean, and how a channel changes that."""

import pytest
from smpplib import consts

from carriers.results import Disposition
from carriers.smpp.status import (
    DISPOSITIONS,
    BindFailure,
    bind_failure,
    disposition,
    is_known,
    parse_overrides,
    parse_status,
    status_description,
    status_name,
)
from carriers.smpp.vocabulary import CommandStatus

CLASSES = {
    Disposition.OK: [0x00],
    Disposition.THROTTLE: [0x58, 0x14],
    Disposition.TEMPORARY: [0x08, 0x64, 0x45, 0xFE, 0xFF],
    Disposition.ROUTE: [0x0A, 0x66, 0x101, 0x100, 0x102, 0x103],
    Disposition.PERMANENT: [0x0B, 0x01, 0x61, 0x62, 0x43, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x104],
    Disposition.BIND: [0x04, 0x05, 0x0D, 0x0E, 0x0F],
}


@pytest.mark.parametrize(
    ("status", "meaning"), [(status, meaning) for meaning, codes in CLASSES.items() for status in codes]
)
def test_t53_each_status_has_one_class(status: int, meaning: Disposition) -> None:
    assert disposition(status) is meaning


def test_t53_every_status_of_the_vocabulary_is_classed() -> None:
    standard = {value for name, value in vars(consts).items() if name.startswith("SMPP_ESME_")}
    assert standard <= DISPOSITIONS.keys()
    assert standard <= {int(status) for status in CommandStatus}


@pytest.mark.parametrize("status", [0x400, 0x4FF, 0x150, 0xFFFF_FFFF])
def test_t53_an_unknown_status_takes_the_default_class_and_can_be_counted(status: int) -> None:
    assert disposition(status) is Disposition.TEMPORARY
    assert not is_known(status)
    assert status_name(status) == f"0x{status:08x}"


def test_t53_a_channel_overrides_single_lines() -> None:
    overrides = parse_overrides({"0x401": "permanent", "ESME_RSUBMITFAIL": "route", "8": "throttle"})
    assert disposition(0x401, overrides) is Disposition.PERMANENT
    assert disposition(0x45, overrides) is Disposition.ROUTE
    assert disposition(0x08, overrides) is Disposition.THROTTLE
    assert disposition(0x58, overrides) is Disposition.THROTTLE


@pytest.mark.parametrize("key", ["ESME_RTHROTTLED", "RTHROTTLED", "esme_rthrottled", " 0x58 ", "88", "0X58"])
def test_t53_a_status_is_named_in_any_usual_way(key: str) -> None:
    assert parse_status(key) == 0x58


@pytest.mark.parametrize("key", ["RTHROTTLE", "", "0x", "-1", "0x100000000"])
def test_a_status_nobody_knows_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"is neither|does not fit"):
        parse_status(key)


@pytest.mark.parametrize("line", [{"0x58": "sometimes"}, {"ESME_ROK": "permanent"}])
def test_an_override_that_makes_no_sense_is_refused_by_its_key(line: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(line))):
        parse_overrides(line)


def test_names_and_descriptions_are_the_standards() -> None:
    assert status_name(0x58) == "ESME_RTHROTTLED"
    assert "hrottl" in status_description(0x58)
    assert status_description(0x07) == ""  # the vocabulary has no sentence for it
    assert status_description(0x401) == ""


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (CommandStatus.RINVPASWD, BindFailure.CREDENTIALS),
        (CommandStatus.RINVSYSID, BindFailure.CREDENTIALS),
        (CommandStatus.RBINDFAIL, BindFailure.CREDENTIALS),
        (CommandStatus.RALYBND, BindFailure.ALREADY_BOUND),
        (CommandStatus.RTHROTTLED, BindFailure.TEMPORARY),
        (CommandStatus.RSYSERR, BindFailure.TEMPORARY),
        (0x401, BindFailure.TEMPORARY),
    ],
)
def test_t27_a_refused_bind_has_a_class(status: int, failure: BindFailure) -> None:
    assert bind_failure(status) is failure
