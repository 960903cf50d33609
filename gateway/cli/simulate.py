"""`simulate`: a carrier to try things on."""

import asyncio
import os
import signal
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import orjson
import typer
import uvloop

from carriers.simulator.behaviour import MessageIdForm, ReceiptIdForm
from carriers.simulator.faults import Fault, FaultKind, load_script, parse_fault
from carriers.simulator.handsets import Writing, parse_mo, parse_mos
from carriers.simulator.options import SimulatorOptions
from carriers.simulator.server import Simulator, run_simulator
from config.load import load
from config.schema import Concatenation
from gateway.cli.common import JsonOption
from gateway.errors import Invalid

FAULT_HELP = (
    "What goes wrong, as KIND or KIND:key=value,key=value; may be given several times. "
    f"Kinds: {', '.join(FaultKind)}. "
    "When: at=N, every=N, chance=0…1, after=SECONDS, lasting=SECONDS, count=N, destination=DIGITS. "
    "How: status=NAME, seconds=N, bytes=HEX. For instance refuse:status=RINVDSTADR,chance=0.01"
)
MO_HELP = (
    "A handset's message, as key=value;…;text=WHAT IT SAYS; may be given several times. "
    "Who: from=HANDSET, to=NUMBER, or reply=yes: every handset that gets a message and begins with from= "
    "answers its sender. "
    f"How: writing={'|'.join(Writing)}, concat={'|'.join(Concatenation)}, size=OCTETS a part, ref=N, "
    "parts=2,1,1 (which come, in this order; default all), esm=BITS, dcs=DATA_CODING. "
    "When: after=SECONDS, gap=SECONDS between parts. Text is hexadecimal for writing=binary; \\n is a line "
    "break. For instance: from=60123456789; to=10690001; text=STOP"
)
DEFAULTS = SimulatorOptions()


Port = Annotated[
    int | None,
    typer.Option(help="TCP port; 0: a free one. Default: that of --config's first channel, or 2775."),
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Receipts = Annotated[
    str, typer.Option(help="Outcome mix, e.g. delivered=0.97,undelivered=0.02,expired=0.01; or none.")
]
ReceiptDelay = Annotated[
    str, typer.Option(help="Seconds from answer to receipt: 2, 0.5-3 (evenly) or exp:1.5 (mean).")
]
AnswerDelay = Annotated[str, typer.Option(help="Seconds from submit_sm to its answer, same forms.")]
Rate = Annotated[int, typer.Option(help="submit_sm a second; beyond it ESME_RTHROTTLED; 0: no limit.")]
IdForm = Annotated[MessageIdForm, typer.Option(help="How answers write message ids.")]
IdFormInReceipt = Annotated[ReceiptIdForm, typer.Option(help="How receipts write the same ids.")]
ReceiptTlvs = Annotated[bool, typer.Option(help="Receipts carry TLVs beside the text.")]
FaultRules = Annotated[list[str] | None, typer.Option(help=FAULT_HELP)]
FaultScript = Annotated[Path | None, typer.Option(help="A TOML file of [[fault]] tables, same keys.")]
Mos = Annotated[list[str] | None, typer.Option("--mo", help=MO_HELP)]
MoFile = Annotated[
    Path | None,
    typer.Option(help="A file of such messages, one a line; lines appended later are sent as they come."),
]
Seed = Annotated[int | None, typer.Option(help="The same seed draws the same outcomes and faults.")]
Accounts = Annotated[
    Path | None, typer.Option(help='TOML file of system_id = "password" lines. Default: all may bind.')
]
MaxBinds = Annotated[int, typer.Option(help="Sessions of one system_id; 0: no limit.")]
TlsCert = Annotated[Path | None, typer.Option(help="Certificate chain, PEM: speak TLS.")]
TlsKey = Annotated[Path | None, typer.Option(help="Its private key, PEM.")]
Record = Annotated[Path | None, typer.Option(help="Append every submit_sm and receipt to this file.")]
StatsFile = Annotated[Path | None, typer.Option(help="Write the counters here once a second, as JSON.")]
PortFrom = Annotated[Path | None, typer.Option("--config", "-c", help="Settings to take the port from.")]
UntilEof = Annotated[bool, typer.Option(hidden=True, help="Stop when standard input ends.")]


def simulate_command(
    *,
    port: Port = None,
    host: Host = DEFAULTS.host,
    receipts: Receipts = DEFAULTS.receipts,
    receipt_delay: ReceiptDelay = DEFAULTS.receipt_delay,
    answer_delay: AnswerDelay = DEFAULTS.answer_delay,
    rate: Rate = DEFAULTS.rate,
    id_form: IdForm = DEFAULTS.id_form,
    receipt_id_form: IdFormInReceipt = DEFAULTS.receipt_id_form,
    receipt_tlvs: ReceiptTlvs = DEFAULTS.receipt_tlvs,
    fault: FaultRules = None,
    faults: FaultScript = None,
    mo: Mos = None,
    mo_file: MoFile = None,
    seed: Seed = None,
    accounts: Accounts = None,
    max_binds: MaxBinds = DEFAULTS.max_binds,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    record: Record = None,
    stats_file: StatsFile = None,
    config: PortFrom = None,
    until_eof: UntilEof = False,
    json: JsonOption = False,
) -> None:
    """Be a carrier: an SMPP server that takes messages and sends receipts, well or badly as told.

    Runs until Ctrl-C, then prints what happened.
    """
    try:
        options = SimulatorOptions(
            host=host, port=_port(port, config), receipts=receipts, receipt_delay=receipt_delay,
            answer_delay=answer_delay, rate=rate, id_form=id_form, receipt_id_form=receipt_id_form,
            receipt_tlvs=receipt_tlvs, faults=_faults(fault or (), faults), seed=seed,
            accounts=_accounts(accounts), max_binds=max_binds, record=record, stats_file=stats_file,
            mos=tuple(map(parse_mo, mo or ())), mo_file=_readable(mo_file),
            tls_cert=str(tls_cert) if tls_cert else None, tls_key=str(tls_key) if tls_key else None,
        )  # fmt: skip
        _run(options, json, until_eof)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _run(options: SimulatorOptions, json: bool, until_eof: bool) -> None:
    running: list[Simulator] = []

    def started(simulator: Simulator) -> None:
        running.append(simulator)
        listening = {"host": options.host, "port": simulator.port}
        typer.echo(
            orjson.dumps(listening).decode()
            if json
            else f"simulated carrier on {options.host}:{simulator.port}; Ctrl-C stops it"
        )
        sys.stdout.flush()
        if until_eof:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _stop_at_eof)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_simulator(options, started))
    counters = running[0].stats().as_json()
    if json:
        typer.echo(orjson.dumps(counters).decode())
    elif not until_eof:
        typer.echo("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in counters.items()))


def _stop_at_eof() -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())  # the end stays readable
        signal.raise_signal(signal.SIGTERM)


def _port(port: int | None, config: Path | None) -> int:
    if port is not None:
        return port
    if config is not None:
        _, network = load(config)
        return next((channel.port for channel in network.channels.values()), DEFAULTS.port)
    return DEFAULTS.port


def _faults(rules: Iterable[str], script: Path | None) -> tuple[Fault, ...]:
    return (*map(parse_fault, rules), *(load_script(script) if script else ()))


def _readable(path: Path | None) -> Path | None:
    """Return the file of messages, read once to tell what is wrong in it; it may come later."""
    if path is not None and path.exists():
        parse_mos(path.read_text(encoding="utf-8"))
    return path


def _accounts(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    if not all(isinstance(password, str) for password in document.values()):
        raise ValueError(f'{path}: only system_id = "password" lines belong here')
    return document
