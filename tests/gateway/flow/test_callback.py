"""One POST against real servers that behave and misbehave; the guard that keeps it off private networks."""

import asyncio
import gzip
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from config.schema import CallbackSettings
from gateway.flow.callback import (
    MAX_ANSWER,
    CallbackClient,
    OwnThreadResolver,
    Reply,
    TargetRefused,
    Verdict,
    is_public,
    judge,
    open_guarded,
)
from tests.support.receiver import Receiver, answers, breaks_off, never_answers, receiver

BODY = b'{"MsgType":2,"Data":[{"Phone":"1"}]}'


@pytest.fixture
async def customer() -> AsyncIterator[Receiver]:
    async with receiver() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[CallbackClient]:
    async with CallbackClient(CallbackSettings(allow_private=True, timeout=0.5)) as running:
        yield running


async def test_a_report_is_posted_as_json_and_taken(client: CallbackClient, customer: Receiver) -> None:
    assert await client.post(customer.url, BODY) == Verdict(Reply.TAKEN)
    assert customer.bodies == [{"MsgType": 2, "Data": [{"Phone": "1"}]}]
    assert customer.headers[0]["Content-Type"] == "application/json; charset=utf-8"
    assert "Accept-Encoding" not in customer.headers[0]


@pytest.mark.parametrize(
    ("status", "answer", "detail"),
    [
        (200, '{"code":1,"message":"no"}', "answer has code 1"),
        (200, '{"code":"x"}', "answer has code x"),
        (200, '{"code":false}', "answer has code False"),
        (200, '{"code":null}', "answer has code None"),
        (200, '{"message":"ok"}', "answer has no code"),
        (200, "[0]", "answer has no code"),
        (200, "0", "answer has no code"),
        (200, "<html>ok</html>", "answer is not JSON"),
        (200, "", "answer is not JSON"),
        (204, "", "answer is not JSON"),
        (302, '{"code":0}', "HTTP 302"),
        (404, '{"code":0}', "HTTP 404"),
        (503, '{"code":0}', "HTTP 503"),
    ],
)
def test_every_other_answer_is_a_refusal_that_says_why(status: int, answer: str, detail: str) -> None:
    assert judge(status, answer.encode()) == Verdict(Reply.REFUSED, detail)


@pytest.mark.parametrize("answer", ['{"code":0}', '{"code":"0"}', '{"code":0.0,"x":[]}', ' {"code" : 0}\n'])
def test_code_zero_with_any_2xx_is_success(answer: str) -> None:
    assert judge(200, answer.encode()).reply is Reply.TAKEN
    assert judge(201, answer.encode()).reply is Reply.TAKEN


@given(status=st.integers(100, 599), answer=st.binary(max_size=60))
def test_no_answer_makes_the_judge_raise(status: int, answer: bytes) -> None:
    judge(status, answer)


async def test_redirects_are_not_followed(client: CallbackClient, customer: Receiver) -> None:
    async with receiver() as elsewhere:
        customer.behaviour = answers("", 307, Location=elsewhere.url)
        assert await client.post(customer.url, BODY) == Verdict(Reply.REFUSED, "HTTP 307")
        assert elsewhere.bodies == []


async def test_a_slow_endpoint_is_given_up_on_after_the_timeout(
    client: CallbackClient, customer: Receiver
) -> None:
    customer.behaviour = never_answers
    assert await client.post(customer.url, BODY) == Verdict(Reply.UNREACHABLE, "no answer within 0.5 s")


async def test_an_answer_broken_off_in_the_middle_is_no_answer(
    client: CallbackClient, customer: Receiver
) -> None:
    customer.behaviour = breaks_off
    assert (await client.post(customer.url, BODY)).reply is Reply.UNREACHABLE


async def test_a_refused_connection_is_no_answer(client: CallbackClient) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    verdict = await client.post(f"http://127.0.0.1:{port}/", BODY)
    assert verdict.reply is Reply.UNREACHABLE
    assert "refused" in verdict.detail


async def test_an_endless_answer_is_read_only_so_far(client: CallbackClient, customer: Receiver) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 4096)
            sent += 4096

    customer.behaviour = endless
    verdict = await client.post(customer.url, BODY)
    assert verdict == Verdict(Reply.REFUSED, f"answer longer than {MAX_ANSWER} bytes")


async def test_a_compressed_answer_is_not_unpacked(client: CallbackClient, customer: Receiver) -> None:
    bomb = gzip.compress(b'{"code":0}' + b" " * 10_000_000)

    async def packed(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    customer.behaviour = packed
    assert await client.post(customer.url, BODY) == Verdict(Reply.REFUSED, "answer is not JSON")


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "http://", "nonsense", "http://[::1", "http://127.1/", ""]
)
async def test_a_url_nobody_can_post_to_is_a_verdict(client: CallbackClient, url: str) -> None:
    assert (await client.post(url, BODY)).reply is Reply.UNREACHABLE


async def test_a_password_in_the_url_is_not_in_the_verdict(client: CallbackClient) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://me:hush@127.0.0.1:{port}/", "http://me:hush@127.1/", "http://me:hush@:0/"):
        assert "hush" not in (await client.post(url, BODY)).detail


PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *(
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1"),
    *("192.0.0.8", "192.0.0.192", "64:ff9b::c000:c0", "3fff::1"),  # a cloud's metadata lives at the second
)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_in_any_disguise_are_refused(address: str) -> None:
    assert not is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(TargetRefused):
        open_guarded((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80)))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "203.0.114.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_never_freer_than_the_address_itself(address: object) -> None:
    assert not is_public(f"::ffff:{address}")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_the_guard_refuses_literals_and_names_alike(customer: Receiver, host: str) -> None:
    port = customer.url.rpartition(":")[2].partition("/")[0]
    async with CallbackClient(CallbackSettings(timeout=5.0)) as guarded:
        verdict = await guarded.post(f"http://{host}:{port}/", BODY)
    assert verdict.reply is Reply.UNREACHABLE
    assert "not a public address" in verdict.detail
    assert customer.bodies == []


async def test_the_guard_sees_the_address_that_is_connected_to_not_an_earlier_answer(
    customer: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the name is public when somebody checks, and loopback when the socket is made."""
    answers_given = iter(["93.184.216.34", "127.0.0.1"])

    def rebinding(*_: object, **__: object) -> list[tuple[object, ...]]:
        port = int(customer.url.rpartition(":")[2].partition("/")[0])
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (next(answers_given), port))]

    monkeypatch.setattr("gateway.flow.callback.socket.getaddrinfo", rebinding)
    assert (await OwnThreadResolver().resolve("evil.example", 80))[0]["host"] == "93.184.216.34"
    async with CallbackClient(CallbackSettings()) as guarded:
        verdict = await guarded.post("http://evil.example/", BODY)
    assert "127.0.0.1 is not a public address" in verdict.detail
    assert customer.bodies == []


async def test_a_machine_without_threads_left_is_a_verdict_too(
    client: CallbackClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("gateway.flow.callback.threading.Thread.start", start)
    verdict = await client.post("http://customer.example/", BODY)
    assert verdict.reply is Reply.UNREACHABLE


async def test_a_name_that_takes_forever_to_look_up_holds_up_nobody_else(
    client: CallbackClient, customer: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    real = socket.getaddrinfo

    def slow(host: str, *args: object, **kwargs: object) -> object:
        if host.endswith(".dead.example"):
            release.wait(10)
            raise socket.gaierror("no such name")
        return real(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("gateway.flow.callback.socket.getaddrinfo", slow)
    url = customer.url.replace("127.0.0.1", "localhost")
    try:
        dead = [client.post(f"http://n{number}.dead.example/", BODY) for number in range(60)]
        *others, alive = await asyncio.gather(*dead, client.post(url, BODY))
    finally:
        release.set()
    assert alive.reply is Reply.TAKEN
    assert {verdict.detail for verdict in others} == {"no answer within 0.5 s"}
