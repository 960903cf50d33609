"""The carrier's rules by hand: no socket, no clock."""

from pathlib import Path

import pytest

from carriers.simulator.carrier import Carrier
from carriers.simulator.faults import parse_fault
from carriers.simulator.handsets import MoPart, parse_mo
from carriers.simulator.mailbox import Owed
from carriers.simulator.options import SimulatorOptions
from carriers.simulator.record import read_record
from carriers.smpp.codec import Decoder
from carriers.smpp.pdu import Bind, BindTransceiver, GenericNack, Response, SubmitSm, SubmitSmResp
from carriers.smpp.vocabulary import CommandStatus

AT = 1_700_000_000.0  # unix seconds at `now` 0


class Session:
    """A bound session: keeps what the carrier does to it."""

    number = 1
    system_id = "acme"

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.told: list[str] = []
        self.answers: list[Response] = []
        self.receipts: list[Owed] = []
        self.raw = b""
        carrier.mailbox("acme").join(self)

    def room(self) -> int:
        return 1_000

    def deliver(self, pending: Owed) -> None:
        self.carrier.delivery(self, len(self.receipts) + 1, pending)
        self.receipts.append(pending)
        self.told.append("receipt")

    def answer(self, data: bytes) -> None:
        decoder = Decoder()
        decoder.receive(data)
        pdu = decoder.next_pdu()
        assert isinstance(pdu, Response)
        self.answers.append(pdu)
        self.told.append("answer")

    def send(self, data: bytes) -> None:
        self.raw += data
        self.told.append("raw")

    def abort(self) -> None:
        self.told.append("abort")

    def unbind(self) -> None:
        self.told.append("unbind")

    def freeze(self) -> None:
        self.told.append("freeze")


def carrier(*faults: str, **changes: object) -> Carrier:
    made = {"receipt_delay": "1", "faults": tuple(map(parse_fault, faults))} | changes
    return Carrier(SimulatorOptions(**made), 0.0, AT)  # type: ignore[arg-type]


def submit(session: Session, count: int = 1, receipt: int = 1) -> None:
    for sequence in range(1, count + 1):
        pdu = SubmitSm(destination_addr="60123", registered_delivery=receipt, sequence=sequence)
        session.carrier.submit(session, pdu)


def pass_time(made: Carrier, now: float) -> None:
    made.tick(now, AT + now)
    made.agenda.run_due(now)


def statuses(session: Session) -> list[int]:
    return [answer.status for answer in session.answers]


def test_answer_now_receipt_later() -> None:
    made = carrier()
    session = Session(made)
    submit(session)
    pass_time(made, 0.99)
    assert session.told == ["answer"]
    pass_time(made, 1.0)
    assert session.told == ["answer", "receipt"]
    (answer,) = session.answers
    assert isinstance(answer, SubmitSmResp)
    assert answer.message_id == session.receipts[0].message_id


def test_the_receipt_counts_its_delay_from_the_answer() -> None:
    made = carrier(answer_delay="5")
    session = Session(made)
    submit(session)
    pass_time(made, 5.0)
    assert session.told == ["answer"]
    pass_time(made, 6.0)
    assert session.told == ["answer", "receipt"]


def test_no_receipt_overtakes_its_answer_unless_told_to() -> None:
    for fault, told in (((), ["answer", "receipt"]), (("early-receipt",), ["receipt", "answer"])):
        made = carrier(*fault, receipt_delay="0")
        session = Session(made)
        submit(session)
        pass_time(made, 0.0)
        assert session.told == told


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("silence", ["receipt"]),
        ("lose", []),
        ("double-answer", ["answer", "answer", "receipt"]),
        ("close", ["abort", "receipt"]),
        ("unbind", ["answer", "unbind", "receipt"]),
        ("freeze", ["freeze", "receipt"]),
        ("slow:seconds=3", ["answer", "receipt"]),
        ("late-receipt:seconds=3", ["answer", "receipt"]),
        ("duplicate-receipt", ["answer", "receipt", "receipt"]),
        ("lost-receipt", ["answer"]),
        ("bad-bytes", ["answer", "raw", "receipt"]),
        ("refuse", ["answer"]),
        ("throttle", ["answer"]),
        ("nack", ["answer"]),
    ],
)
def test_each_fault_does_what_its_name_says(fault: str, told: list[str]) -> None:
    made = carrier(fault)
    session = Session(made)
    submit(session)
    pass_time(made, 60.0)
    assert session.told == told
    assert made.stats.faults == {fault.partition(":")[0]: 1}


def test_late_and_slow_are_late_by_what_was_asked() -> None:
    made = carrier("slow:at=1,seconds=3", "late-receipt:at=2,seconds=3")
    session = Session(made)
    submit(session, 2)
    pass_time(made, 2.9)
    assert session.told == ["answer"]
    pass_time(made, 4.0)
    assert session.told == ["answer", "answer", "receipt", "receipt"]


def test_refusals_carry_their_status() -> None:
    made = carrier("refuse:at=1,status=RINVDSTADR", "throttle:at=2", "nack:at=3,status=0x400")
    session = Session(made)
    submit(session, 3)
    assert statuses(session) == [0x0B, 0x58, 0x400]
    assert isinstance(session.answers[2], GenericNack)
    assert (made.stats.submits, made.stats.taken, made.stats.owed) == (3, 0, 0)


def test_no_sliding_second_holds_more_than_the_rate() -> None:
    made = carrier(rate=2)
    session = Session(made)
    for now in (0.0, 0.5, 0.9, 1.0, 1.1, 1.5):
        pass_time(made, now)
        submit(session)
    throttled = CommandStatus.RTHROTTLED
    assert statuses(session) == [0, 0, throttled, 0, throttled, 0]


def test_receipts_are_for_those_who_ask() -> None:
    made = carrier(receipts="undelivered")
    session = Session(made)
    submit(session, receipt=0)
    submit(session, receipt=1)
    submit(session, receipt=2)  # on failure only
    pass_time(made, 1.0)
    assert len(session.receipts) == 2


def test_a_receipt_is_owed_until_it_is_settled() -> None:
    made = carrier(receipt_retry=2.0)
    session = Session(made)
    submit(session)
    pass_time(made, 1.0)
    made.acknowledged(session, session.receipts[0], CommandStatus.RX_T_APPN)
    assert (made.stats.owed, made.stats.receipts_put_off) == (1, 1)
    pass_time(made, 3.0)
    assert [pending.attempts for pending in session.receipts] == [2, 2]  # the same one, again
    made.acknowledged(session, session.receipts[1], CommandStatus.ROK)
    assert (made.stats.owed, made.stats.receipts_acknowledged) == (0, 1)


def test_binds_are_held_against_the_accounts() -> None:
    made = carrier(accounts={"acme": "secret"}, max_binds=1)

    def verdict(system_id: str, password: str) -> CommandStatus:
        pdu: Bind = BindTransceiver(system_id, password)
        return made.admit(pdu)

    assert verdict("nobody", "secret") is CommandStatus.RINVSYSID
    assert verdict("acme", "guess") is CommandStatus.RINVPASWD
    assert verdict("acme", "secret") is CommandStatus.ROK
    made.opened(Session(made), "transceiver")
    assert verdict("acme", "secret") is CommandStatus.RALYBND
    made.closed(Session(made))
    assert verdict("acme", "secret") is CommandStatus.ROK


def test_started_again_on_its_record_it_owes_what_it_owed(tmp_path: Path) -> None:
    record = tmp_path / "record"
    first = carrier(record=record)
    session = Session(first)
    submit(session, 3)
    pass_time(first, 1.0)
    first.acknowledged(session, session.receipts[0], 0)
    first.recorder.flush()
    second = carrier(record=record)
    assert second.stats.owed == 2
    again = Session(second)
    pass_time(second, 0.0)
    expected = [pending.message_id for pending in session.receipts[1:]]
    assert [pending.message_id for pending in again.receipts] == expected
    kinds = [event["event"] for event in read_record(record)]
    assert kinds.count("start") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"receipts": "deliverd"},
        {"receipt_delay": "soon"},
        {"answer_delay": "-1"},
        {"id_form": "octal"},
        {"id_form": "uuid", "receipt_id_form": "hex"},
    ],
)
def test_impossible_options_are_refused_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"receipts|delay|octal|UUID"):
        carrier(**wrong)


def test_a_handsets_message_waits_for_a_customer_and_is_sent_until_acknowledged() -> None:
    made = carrier(mos=(parse_mo("from=60123; after=1; text=hello"),))
    pass_time(made, 1.0)
    session = Session(made)
    made.opened(session, "transceiver")
    (part,) = session.receipts
    assert isinstance(part, MoPart)
    assert (part.pdu.source_addr, made.stats.mo_owed, made.stats.mo_sent) == ("60123", 1, 1)
    made.acknowledged(session, part, CommandStatus.RX_T_APPN)
    pass_time(made, 2.0)
    assert len(session.receipts) == 2
    made.acknowledged(session, part, CommandStatus.ROK)
    assert (made.stats.mo_acknowledged, made.stats.mo_put_off, made.stats.mo_owed) == (1, 1, 0)


def test_parts_come_one_after_the_other_in_their_time() -> None:
    made = carrier()
    session = Session(made)
    made.opened(session, "receiver")
    made.hand_in(parse_mo("from=60123; size=1; parts=2,1; gap=5; text=ab"))
    pass_time(made, 0.0)
    assert len(session.receipts) == 1
    pass_time(made, 5.0)
    bodies = [part.pdu.short_message[-1:] for part in session.receipts if isinstance(part, MoPart)]
    assert bodies == [b"b", b"a"]


def test_a_handset_answers_what_it_gets() -> None:
    made = carrier(mos=(parse_mo("reply=yes; from=601; text=STOP"), parse_mo("reply=yes; from=44; text=no")))
    session = Session(made)
    made.opened(session, "transceiver")
    submit(session)
    pass_time(made, 0.0)
    assert made.stats.mo_owed == 1
