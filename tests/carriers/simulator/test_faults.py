"""Faults strike what the script says, and the same again with the same seed."""

from pathlib import Path
from random import Random

import pytest
from smpplib import consts

from carriers.simulator.faults import Fault, FaultKind, FaultPlan, load_script, parse_fault


def struck(fault: Fault, numbers: range = range(1, 21), elapsed: float = 0.0, seed: int = 1) -> list[int]:
    plan = FaultPlan([fault], Random(seed))
    return [number for number in numbers if plan.strike(number, elapsed, "60123")]


def test_without_conditions_every_submit_is_struck() -> None:
    assert struck(parse_fault("silence")) == list(range(1, 21))


def test_conditions_narrow_it_down() -> None:
    assert struck(parse_fault("refuse:at=3")) == [3]
    assert struck(parse_fault("refuse:every=7")) == [7, 14]
    assert struck(parse_fault("throttle:count=4")) == [1, 2, 3, 4]
    assert struck(parse_fault("refuse:every=5,count=2")) == [5, 10]
    assert struck(parse_fault("refuse:destination=6012")) == list(range(1, 21))
    assert struck(parse_fault("refuse:destination=86")) == []


def test_a_burst_has_a_beginning_and_an_end() -> None:
    burst = parse_fault("throttle:after=10,lasting=5")
    assert struck(burst, elapsed=9.9) == []
    assert len(struck(burst, elapsed=10.0)) == 20
    assert struck(burst, elapsed=15.0) == []


def test_chance_follows_the_seed() -> None:
    fault = parse_fault("close:chance=0.3")
    numbers = range(1, 1_001)
    assert struck(fault, numbers, seed=5) == struck(fault, numbers, seed=5)
    assert struck(fault, numbers, seed=5) != struck(fault, numbers, seed=6)
    assert len(struck(fault, numbers)) == pytest.approx(300, abs=60)


def test_the_first_fault_that_strikes_wins() -> None:
    plan = FaultPlan([parse_fault("refuse:at=2"), parse_fault("silence")], Random(1))
    kinds = [fault.kind for number in (1, 2, 3) if (fault := plan.strike(number, 0.0, ""))]
    assert kinds == [FaultKind.SILENCE, FaultKind.REFUSE, FaultKind.SILENCE]


def test_a_status_is_a_name_or_a_number() -> None:
    for text in ("RINVDSTADR", "ESME_RINVDSTADR", "esme_rinvdstadr", "0x0B", "11"):
        assert parse_fault(f"refuse:status={text}").status == consts.SMPP_ESME_RINVDSTADR


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("explode", "one of refuse, throttle"),
        ("", "one of refuse"),
        ("refuse:status=NOPE", "status cannot be 'NOPE'"),
        ("refuse:chance=2", "from 0 to 1"),
        ("refuse:when=3", "unknown key 'when'"),
        ("refuse:at", "needs a value"),
        ("refuse:at=-1", "at cannot be"),
        ("bad-bytes:bytes=xyz", "bytes cannot be"),
    ],
)
def test_a_wrong_fault_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_fault(text)


def test_a_script_is_a_list_of_fault_tables(tmp_path: Path) -> None:
    script = tmp_path / "faults.toml"
    script.write_text(
        '[[fault]]\nkind = "throttle"\nafter = 2.0\nlasting = 1.5\n\n'
        '[[fault]]\nkind = "refuse"\nstatus = 0x0B\nchance = 0.01\n'
    )
    assert load_script(script) == (
        Fault(kind=FaultKind.THROTTLE, after=2.0, lasting=1.5),
        Fault(kind=FaultKind.REFUSE, status=0x0B, chance=0.01),
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[[fault]", "faults.toml"),
        ("[[fault]]\nat = 3", "number 1: fault: a kind is needed"),
        ("[faults]\nkind = 1", "only .*fault.* tables"),
        ('[[fault]]\nkind = "close"\n[[fault]]\nkind = "closed"', "number 2: fault: kind cannot be 'closed'"),
    ],
)
def test_a_wrong_script_says_where(tmp_path: Path, content: str, says: str) -> None:
    script = tmp_path / "faults.toml"
    script.write_text(content)
    with pytest.raises(ValueError, match=says):
        load_script(script)
