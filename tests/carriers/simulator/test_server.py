"""The simulated carrier seen by a stranger: smpplib's own client binds, submits, gets receipts."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import smpplib.client
import uvloop
from smpplib import consts, exceptions

from carriers.simulator.faults import parse_fault
from carriers.simulator.options import SimulatorOptions
from carriers.simulator.record import read_record
from carriers.simulator.server import Simulator
from carriers.smpp.codec import encode
from carriers.smpp.pdu import BindTransceiver, DataSm, QuerySm, SubmitSm, Unbind


def options(**changes: object) -> SimulatorOptions:
    return SimulatorOptions(**({"port": 0, "receipt_delay": "0"} | changes))  # type: ignore[arg-type]


class Customer:
    """smpplib's blocking client; run it in a thread."""

    def __init__(self, port: int, mode: str = "transceiver", password: str = "secret") -> None:
        self.answers: list[tuple[int, str]] = []
        self.texts: list[str] = []
        self.put_off = 0  # receipts to answer with a temporary error before taking them
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=10, allow_unknown_opt_params=True)
        self.client.logger.disabled = True
        self.client.set_message_sent_handler(self._sent)
        self.client.set_message_received_handler(self._received)
        self.client.set_error_pdu_handler(lambda pdu: None)  # the handlers below see errors too
        self.client.connect()
        try:
            getattr(self.client, f"bind_{mode}")(system_id="acme", password=password)
        except exceptions.PDUError:
            self.client.disconnect()
            raise

    def submit(self, count: int, receipts: int = 1) -> None:
        for number in range(count):
            self.client.send_message(
                source_addr_ton=consts.SMPP_TON_ALNUM,
                source_addr="Acme",
                dest_addr_ton=consts.SMPP_TON_INTL,
                destination_addr=f"6012345678{number}",
                short_message=b"hello",
                registered_delivery=receipts,
            )

    def read(self, answers: int, receipts: int) -> None:
        """Read until so many came."""
        while len(self.answers) < answers or len(self.texts) < receipts:
            self.client.read_once(auto_send_enquire_link=False)

    def leave(self) -> None:
        self.client.unbind()
        self.client.disconnect()

    def _sent(self, pdu: object) -> None:
        self.answers.append((pdu.status, (pdu.message_id or b"").decode()))  # type: ignore[attr-defined]

    def _received(self, pdu: object) -> int:
        if self.put_off:
            self.put_off -= 1
            return int(consts.SMPP_ESME_RX_T_APPN)
        assert pdu.esm_class == consts.SMPP_MSGTYPE_DEFAULT | 0x04  # type: ignore[attr-defined]
        self.texts.append(pdu.short_message.decode())  # type: ignore[attr-defined]
        return int(consts.SMPP_ESME_ROK)


def ids(texts: list[str]) -> list[str]:
    return [re.match(r"id:(\S+) ", text)[1] for text in texts]  # type: ignore[index]


@pytest.mark.parametrize("fast", [False, True], ids=["asyncio", "uvloop"])
def test_a_foreign_client_submits_and_gets_its_receipts(fast: bool) -> None:
    def story(port: int) -> None:
        customer = Customer(port)
        customer.submit(5)
        customer.read(answers=5, receipts=5)
        assert [status for status, _ in customer.answers] == [0] * 5
        assert ids(customer.texts) == [message_id for _, message_id in customer.answers]
        assert all("stat:DELIVRD err:000" in text for text in customer.texts)
        customer.leave()

    async def main() -> None:
        async with Simulator(options()) as carrier:
            await asyncio.to_thread(story, carrier.port)
            stats = carrier.stats()
            assert (stats.taken, stats.receipts_acknowledged, stats.unbinds, stats.owed) == (5, 5, 1, 0)

    if fast:
        uvloop.run(main())
    else:
        asyncio.run(main())


async def test_receipts_come_only_on_request() -> None:
    def story(port: int) -> None:
        customer = Customer(port)
        customer.submit(2, receipts=consts.SMPP_SMSC_DELIVERY_RECEIPT_NONE)
        customer.submit(1, receipts=consts.SMPP_SMSC_DELIVERY_RECEIPT_FAILURE)
        customer.read(answers=3, receipts=0)
        customer.leave()

    async with Simulator(options()) as carrier:
        await asyncio.to_thread(story, carrier.port)
        assert carrier.stats().receipts_sent == 0


async def test_an_outcome_mix_and_id_forms_show_in_the_receipts() -> None:
    def story(port: int) -> None:
        customer = Customer(port)
        customer.submit(1)
        customer.read(answers=1, receipts=1)
        assert "stat:UNDELIV err:001" in customer.texts[0]
        assert int(ids(customer.texts)[0]) == int(customer.answers[0][1], 16)
        customer.leave()

    made = options(receipts="undelivered", id_form="hex", receipt_id_form="decimal")
    async with Simulator(made) as carrier:
        await asyncio.to_thread(story, carrier.port)


async def test_a_receipt_put_off_comes_again() -> None:
    def story(port: int) -> None:
        customer = Customer(port)
        customer.put_off = 2
        customer.submit(1)
        customer.read(answers=1, receipts=1)
        customer.leave()

    async with Simulator(options(receipt_retry=0.02)) as carrier:
        await asyncio.to_thread(story, carrier.port)
        assert carrier.stats().receipts_sent == 3


async def test_receipts_wait_for_the_customer_to_bind_again() -> None:
    def first(port: int) -> list[str]:
        customer = Customer(port, "transmitter")
        customer.submit(3)
        customer.read(answers=3, receipts=0)
        customer.leave()
        return [message_id for _, message_id in customer.answers]

    def second(port: int) -> list[str]:
        customer = Customer(port, "receiver")
        customer.read(answers=0, receipts=3)
        customer.leave()
        return ids(customer.texts)

    async with Simulator(options()) as carrier:
        expected = await asyncio.to_thread(first, carrier.port)
        await carrier.until(lambda stats: stats.owed == 3)
        assert await asyncio.to_thread(second, carrier.port) == expected


async def test_only_its_accounts_may_bind() -> None:
    def story(port: int) -> None:
        with pytest.raises(exceptions.PDUError, match="Password"):
            Customer(port, password="wrong")
        Customer(port, password="secret").leave()

    async with Simulator(options(accounts={"acme": "secret"})) as carrier:
        await asyncio.to_thread(story, carrier.port)
        assert carrier.stats().binds_refused == 1


@contextmanager
def raw(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def header(connection: socket.socket) -> tuple[int, int, int]:
    """Read one PDU; return its command_id, status and sequence."""
    with connection.makefile("rb", buffering=0) as stream:
        length = int.from_bytes(stream.read(4), "big")
        rest = b""
        while len(rest) < length - 4:
            rest += stream.read(length - 4 - len(rest))
    return tuple(int.from_bytes(rest[at : at + 4], "big") for at in (0, 4, 8))  # type: ignore[return-value]


async def test_every_request_has_an_answer() -> None:
    def story(port: int) -> None:
        with raw(port) as connection:
            connection.sendall(encode(SubmitSm(destination_addr="60123", sequence=1)))
            assert header(connection) == (0x80000004, 0x04, 1)  # T21: not bound
            connection.sendall(encode(BindTransceiver("acme", interface_version=0x33, sequence=2)))
            assert header(connection) == (0x80000009, 0, 2)
            connection.sendall(encode(BindTransceiver("acme", sequence=3)))
            assert header(connection) == (0x80000009, 0x05, 3)  # T23
            connection.sendall(encode(QuerySm("nobody's", sequence=4)))
            assert header(connection) == (0x80000003, 0x67, 4)
            connection.sendall(encode(DataSm(destination_addr="60123", sequence=5)))
            assert header(connection) == (0x80000103, 0x03, 5)
            connection.sendall(bytes.fromhex("00000010000000990000000000000006"))
            assert header(connection) == (0x80000000, 0x03, 6)  # T05
            connection.sendall(encode(SubmitSm(destination_addr="not a number", sequence=7)))
            assert header(connection) == (0x80000004, 0x0B, 7)
            connection.sendall(encode(Unbind(sequence=8)))
            assert header(connection) == (0x80000006, 0, 8)
            assert connection.recv(1) == b""

    async with Simulator(options()) as carrier:
        await asyncio.to_thread(story, carrier.port)


async def test_t20_a_connection_that_never_binds_is_closed() -> None:
    def story(port: int) -> None:
        with raw(port) as connection, pytest.raises((ConnectionResetError, AssertionError)):
            assert connection.recv(1) != b""

    async with Simulator(options(response_timeout=0.05)) as carrier:
        await asyncio.to_thread(story, carrier.port)


async def test_the_record_tells_every_submit_before_its_answer(tmp_path: Path) -> None:
    record = tmp_path / "record"

    def story(port: int) -> None:
        customer = Customer(port)
        customer.submit(3)
        customer.read(answers=3, receipts=2)
        told = [event for event in read_record(record) if event["event"] == "submit"]
        assert [(event["status"], event["id"]) for event in told] == customer.answers
        assert [event["status"] for event in told] == [0, 0x0B, 0]
        assert {event["text"] for event in told} == {b"hello".hex()}
        customer.leave()

    refuse = parse_fault("refuse:at=2,status=RINVDSTADR")
    async with Simulator(options(record=record, faults=(refuse,))) as carrier:
        await asyncio.to_thread(story, carrier.port)
    sent = [event["id"] for event in read_record(record) if event["event"] == "receipt"]
    settled = [event["id"] for event in read_record(record) if event["event"] == "acknowledged"]
    assert len(sent) == 2
    assert sent == settled


SERVE = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from carriers.simulator.options import SimulatorOptions
    from carriers.simulator.server import run_simulator
    record, delay, stats = sys.argv[1:]
    options = SimulatorOptions(port=0, receipt_delay=delay, record=Path(record), stats_file=Path(stats))
    asyncio.run(run_simulator(options, lambda simulator: print(simulator.port, flush=True)))
    """
)


@contextmanager
def process(record: Path, delay: str, stats: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-c", SERVE, str(record), delay, str(stats)]
    root = Path(__file__).parents[3]
    env = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=env) as running:
        assert running.stdout is not None
        try:
            yield running, int(running.stdout.readline())
        finally:
            running.kill()


def test_a_killed_carrier_still_owes_its_receipts(tmp_path: Path) -> None:
    record, stats = tmp_path / "record", tmp_path / "stats.json"
    with process(record, "3600", stats) as (carrier, port):
        customer = Customer(port)
        customer.submit(4)
        customer.read(answers=4, receipts=0)
        carrier.send_signal(signal.SIGKILL)
        carrier.wait()
        customer.client.disconnect()
    with process(record, "0", stats) as (carrier, port):
        second = Customer(port, "receiver")
        second.read(answers=0, receipts=4)
        second.leave()
        carrier.send_signal(signal.SIGTERM)
        assert carrier.wait() == 0
    assert ids(second.texts) == [message_id for _, message_id in customer.answers]
    told = json.loads(stats.read_text())
    assert (told["receipts_acknowledged"], told["owed"]) == (4, 0)
