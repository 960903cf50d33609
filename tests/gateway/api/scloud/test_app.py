"""The door: the order of its checks, its limits, repetitions, and that nothing gets past HTTP 200."""

import asyncio
import gzip
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from config.schema import ApiSettings, HttpSettings
from gateway.api.scloud.access import authenticate
from gateway.api.scloud.app import MAX_LINE
from gateway.api.scloud.parameters import read_parameters
from gateway.domain.account import Directory
from gateway.domain.allowlist import AllowList
from gateway.errors import Overloaded, StoreUnavailable
from gateway.flow.funds import InsufficientFunds
from gateway.web.body import SMALL_BODY
from tests.support.scloud import (
    ENCODINGS,
    NOTICE,
    PROJECT,
    PUBLIC,
    Desk,
    account,
    desk,
    directory,
    encoded,
    project,
    signed,
    task_content,
)

SEND = "SendUSMSMessage"
GOOD: dict[str, Any] = {"PhoneNumbers": ["(60)123456789"], "TemplateId": NOTICE, "TemplateParams": ["1", "2"]}
FORM = "application/x-www-form-urlencoded"


def call(**changes: Any) -> dict[str, Any]:
    return signed({"Action": SEND, "ProjectId": PROJECT, **GOOD} | changes)


def bound(*networks: str) -> Directory:
    """The directory with its key bound to `networks`."""
    known = directory()
    return replace(known, keys={PUBLIC: replace(known.keys[PUBLIC], allowed=(AllowList(networks),))})


async def test_checks_come_in_the_documented_order() -> None:
    restricted = directory(account(active=False))
    async with desk(restricted) as door:
        parameters = call(Action="", ProjectId="org-nowhere")
        everything_wrong = parameters | {"Signature": "", "PublicKey": "nobody"}
        assert await door.send(everything_wrong) == {"RetCode": 160, "Message": "Missing Action"}
        everything_wrong["Action"] = "SendUsmsMessage"
        assert (await door.send(everything_wrong))["RetCode"] == 161
        everything_wrong["Action"] = SEND
        assert (await door.send(everything_wrong))["RetCode"] == 170
        everything_wrong["Signature"] = "0" * 40
        assert await door.send(everything_wrong) == {"RetCode": 172, "Message": "User Not Exists"}
        everything_wrong["PublicKey"] = PUBLIC
        assert await door.send(everything_wrong) == {"RetCode": 171, "Message": "Signature VerifyAC Error"}
        assert (await door.send(call(ProjectId="org-nowhere")))["RetCode"] == 173
        door.directory.value = bound("192.0.2.0/24")
        assert (await door.send(call(ProjectId="org-nowhere", SecurityToken="t")))["RetCode"] == 174
        assert await door.send(call(ProjectId="org-nowhere")) == {
            "RetCode": 294,
            "Message": "Client IP not on the allow-list: 127.0.0.1",
        }
        assert door.used == []
        door.directory.value = bound("127.0.0.0/8")
        assert (await door.send(call(ProjectId="org-nowhere")))["RetCode"] == 292
        assert (await door.send(call(ProjectId="org-stranger")))["RetCode"] == 290
        assert door.accept.requests == []


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_without_a_project_the_default_one_is_taken(encoding: str) -> None:
    owner = account(project("org-other", default=False), project())
    async with desk(directory(owner)) as door:
        for given in ({}, {"ProjectId": ""}):
            parameters = signed({"Action": SEND, **GOOD, "UserId": str(len(given)), **given}, encoding)
            assert (await door.send(parameters, encoding))["RetCode"] == 0
        assert (await door.call(SEND, encoding, **GOOD, ProjectId="org-other"))["RetCode"] == 0
        assert [one.project_id for one in door.accept.requests] == [PROJECT, PROJECT, "org-other"]


async def test_an_account_without_a_default_project_must_name_one() -> None:
    async with desk(directory(account(project(default=False)))) as door:
        assert (await door.send(signed({"Action": SEND, **GOOD})))["RetCode"] == 292


async def test_a_disabled_key_is_unknown() -> None:
    async with desk(directory(active=False)) as door:
        assert (await door.send(call()))["RetCode"] == 172


async def test_a_directory_that_is_swapped_takes_effect_at_once() -> None:
    async with desk() as door:
        assert (await door.send(call()))["RetCode"] == 0
        door.directory.value = directory(active=False)
        assert (await door.send(call()))["RetCode"] == 172


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Action": 7}, 161),
        ({"Action": ["SendUSMSMessage"]}, 160),
        ({"PublicKey": ["x"]}, 172),
        ({"PublicKey": None}, 172),
        ({"Signature": None}, 170),
        ({"Signature": {}}, 170),
        ({"Signature": 7}, 171),
    ],
)
async def test_public_parameters_of_a_wrong_type(wrong: dict[str, Any], code: int) -> None:
    async with desk() as door:
        assert (await door.send(call() | wrong, "flat"))["RetCode"] == code


async def test_the_query_of_a_post_with_a_body_is_ignored() -> None:
    # the Go client names the action in the URL too, and signs only the body
    async with desk() as door:
        _, _, body, kind = encoded(call(), "form")
        answer = await door.raw(body, kind, query="?Action=Nonsense&PublicKey=x")
        assert answer["RetCode"] == 0


async def test_stray_parameters_are_signed_and_ignored() -> None:
    async with desk() as door:
        for encoding in ENCODINGS:
            stray = {"Region": "cn-bj2", "Zone": "", "SecurityToken": "", "SenderId": encoding}
            assert (await door.call(SEND, encoding, **GOOD, **stray))["RetCode"] == 0


async def test_a_repeated_request_gets_the_first_answer_and_sends_nothing() -> None:
    async with desk() as door:
        first = await door.send(call(UserId="order-1"))
        assert await door.send(call(UserId="order-1")) == first
        assert (await door.send(call(UserId="order-2"))) != first
        assert len(door.accept.requests) == 2
        door.clock.seconds += 62
        assert (await door.send(call(UserId="order-1")))["SessionNo"] != first["SessionNo"]


async def test_a_partly_submitted_batch_is_kept_too() -> None:
    targets = [{"Phone": "18500000123", "TemplateParams": ["1", "2"]}, {"Phone": "1"}]
    content = task_content([{"TemplateId": NOTICE, "SigContent": "Acme", "Target": targets}])
    async with desk() as door:
        first = await door.call("SendBatchUSMSMessage", TaskContent=content)
        assert first["RetCode"] == 18046
        assert await door.call("SendBatchUSMSMessage", TaskContent=content) == first
        assert len(door.accept.requests) == 1


async def test_refused_for_lack_of_balance_a_customer_may_top_up_and_repeat() -> None:
    async with desk() as door:
        door.accept.error = InsufficientFunds()
        refused = await door.send(call())
        assert (refused["RetCode"], refused["Action"]) == (18013, "SendUSMSMessageResponse")
        door.accept.error = None
        assert (await door.send(call()))["RetCode"] == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Overloaded(), 153),
        (StoreUnavailable(), 18004),
        (InsufficientFunds(), 18013),
        (RuntimeError("bug"), 150),
    ],
)
async def test_what_goes_wrong_behind_the_door_has_a_code(error: Exception, code: int) -> None:
    async with desk() as door:
        door.accept.error = error
        answer = await door.send(call())
        assert answer["RetCode"] == code
        assert "bug" not in str(answer)


async def test_each_key_has_a_rate_and_a_repetition_does_not_count() -> None:
    async with desk(api=ApiSettings(requests_per_second=2)) as door:
        codes = [(await door.send(call(UserId=str(number))))["RetCode"] for number in (1, 1, 2, 3, 1)]
        assert codes == [0, 0, 0, 153, 0]
        door.clock.seconds += 0.5
        assert (await door.send(call(UserId="3")))["RetCode"] == 0


async def test_the_default_country_decides_what_is_domestic() -> None:
    async with desk(api=ApiSettings(default_country="SG")) as door:
        assert (await door.call(SEND, **GOOD | {"PhoneNumbers": ["81234567"]}))["RetCode"] == 0
        assert door.accept.phones == ["6581234567"]


async def test_a_body_above_the_limit_is_http_413_and_one_at_the_limit_is_read() -> None:
    async with desk(http=HttpSettings(max_body=10_000)) as door:
        for body, status in ((b"a=" + b"x" * 9_998, 200), (b"a=" + b"x" * 9_999, 413)):
            async with door.client.post(door.url, data=body, headers={"Content-Type": FORM}) as response:
                assert response.status == status
                assert (await response.json())["RetCode"] == (160 if status == 200 else 240)
        bomb = {"Content-Type": FORM, "Content-Encoding": "gzip"}
        async with door.client.post(
            door.url, data=gzip.compress(b"a" * 10_000_000), headers=bomb
        ) as response:
            assert response.status == 413


async def test_a_13_megabyte_body_is_read() -> None:
    async with desk() as door:
        parameters = call(File="A" * (13 * 1024 * 1024 - 2000))
        assert (await door.send(parameters))["RetCode"] == 0


async def test_a_large_body_is_taken_apart_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    # unescaping megabytes takes seconds, and anybody may send them: no signature is known before
    here, seen = threading.current_thread(), []

    def read(*request: bytes) -> Any:
        seen.append(threading.current_thread())
        return read_parameters(*request)

    monkeypatch.setattr("gateway.api.scloud.app.read_parameters", read)
    async with desk() as door:
        assert (await door.send(call(File="%" * SMALL_BODY)))["RetCode"] == 0
        assert (await door.send(call()))["RetCode"] == 0
        twice = b"a=1&a=2&b=" + b"x" * SMALL_BODY
        assert (await door.raw(twice, FORM))["RetCode"] == 18002
    assert [thread is here for thread in seen] == [False, True, False]


async def test_the_signature_of_a_large_body_is_checked_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, seen = threading.current_thread(), []

    def check(*given: Any) -> Any:
        seen.append(threading.current_thread())
        return authenticate(*given)

    monkeypatch.setattr("gateway.api.scloud.app.authenticate", check)
    async with desk() as door:
        large = call(File="x" * SMALL_BODY)
        assert (await door.send(large))["RetCode"] == 0
        assert (await door.send(large | {"File": "y" * SMALL_BODY}))["RetCode"] == 171
        assert (await door.send(large | {"PublicKey": "nobody"}))["RetCode"] == 172
        assert (await door.send(call()))["RetCode"] == 0
        assert (await door.send(call(UserId="get"), "query"))["RetCode"] == 0
    assert [thread is here for thread in seen] == [False, False, False, True, True]


async def test_a_compressed_body_is_read_and_a_broken_one_refused() -> None:
    async with desk() as door:
        _, _, body, kind = encoded(call(), "form")
        for data, code in ((gzip.compress(body), 0), (b"not gzip at all", 18002)):
            headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
            async with door.client.post(door.url, data=data, headers=headers) as response:
                assert response.status == 200
                assert (await response.json())["RetCode"] == code


async def test_another_method_is_answered_in_the_apis_form() -> None:
    async with desk() as door:
        told = {"RetCode": 160, "Message": "Missing Action: requests are made by GET or POST"}
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            assert await door.raw(b"Action=SendUSMSMessage", FORM, method=method) == told
        async with door.client.head(door.url) as response:
            assert (response.status, await response.read()) == (200, b"")
            assert response.content_type == "application/json"
        assert (await door.send(call()))["RetCode"] == 0
        counted = {"action": "", "code": "160"}
        assert door.metrics.registry.get_sample_value("scloud_api_requests_total", counted) == 5


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "metrics", 404, "not-found"),
        ("POST", "v1/messages", 404, "not-found"),
        ("POST", "?Action=x/", 200, ""),
        ("POST", "files/FILE0", 405, "method-not-allowed"),
        ("HEAD", "files/FILE0", 405, "method-not-allowed"),
    ],
)
async def test_what_is_elsewhere_is_a_problem(method: str, path: str, status: int, kind: str) -> None:
    async with desk() as door, door.client.request(method, door.url + path) as response:
        assert response.status == status
        if status == 200:
            assert (await response.json())["RetCode"] == 161
            return
        assert response.content_type == "application/problem+json"
        assert response.headers.get("Allow") == ("GET" if status == 405 else None)
        if method != "HEAD":
            document = await response.json(content_type=None)
            assert (document["type"], document["status"]) == (f"urn:scloud-sms:problem:{kind}", status)


async def test_a_connection_of_the_express_lane_gets_the_same_problems() -> None:
    async with desk() as door:
        host, port = door.url.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        _, _, body, kind = encoded(call(), "form")
        plain = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
        astray = b"POST /sms HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
        any_server = b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
        for sent, status, document in (
            (plain % (kind.encode(), len(body), body), b"200", {"RetCode": 0}),
            (astray, b"404", {"type": "urn:scloud-sms:problem:not-found"}),
            (any_server, b"404", {"type": "urn:scloud-sms:problem:not-found"}),
            (plain % (kind.encode(), len(body), body), b"200", {"RetCode": 0}),
        ):
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] == status
            length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length"))
            answer = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
            assert document.items() <= answer.items()
        writer.close()


async def test_nothing_at_all_is_a_missing_action() -> None:
    async with desk() as door:
        assert (await door.raw(b"", "", method="GET"))["RetCode"] == 160
        assert (await door.raw(b"", "application/json"))["RetCode"] == 160
        assert (await door.raw(b"{}", "application/json"))["RetCode"] == 160


async def test_a_client_that_goes_away_in_the_middle_harms_nobody() -> None:
    async with desk() as door:
        host, port = door.url.removeprefix("http://").rstrip("/").split(":")
        for part in (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAction=",
            b"POST / HT",
            b"\x00\xff\r\n\r\n",
        ):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(part)
            await writer.drain()
            writer.close()
        assert (await door.send(call()))["RetCode"] == 0


async def test_answers_are_counted_by_action_and_code_and_unknown_actions_get_no_label() -> None:
    async with desk() as door:
        await door.send(call())
        await door.send(call())
        await door.send(call(Action="Invented"))
        families = {
            family.name: family for family in text_string_to_metric_families(door.metrics.render().decode())
        }
        counted = {
            (sample.labels["action"], sample.labels["code"]): sample.value
            for sample in families["scloud_api_requests"].samples
            if sample.name.endswith("_total")
        }
        assert counted == {(SEND, "0"): 2.0, ("", "161"): 1.0}
        assert families["scloud_api_replayed"].samples[0].value == 1.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from([FORM, "application/json", "text/plain", "a/b; charset=x", ""]),
)
async def test_no_body_gets_anything_but_http_200(hostile_desk: Desk, body: bytes, kind: str) -> None:
    assert (await hostile_desk.raw(body, kind))["RetCode"] != 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    values=st.dictionaries(
        st.sampled_from(
            [
                "PhoneNumbers",
                "TemplateId",
                "SigContent",
                "UserId",
                "TemplateParams",
                "ExtendCode",
                "TaskContent",
                "SessionNoSet",
                "Action",
            ]
        ),
        st.text(max_size=12)
        | st.lists(st.text(max_size=8) | st.integers() | st.none() | st.booleans(), max_size=4)
        | st.integers()
        | st.booleans(),
    ),
    action=st.sampled_from([SEND, "SendBatchUSMSMessage", "GetUSMSSendReceipt", "GetProjectList"]),
    encoding=st.sampled_from(ENCODINGS),
)
async def test_no_signed_call_gets_anything_but_http_200(
    hostile_desk: Desk, values: dict[str, Any], action: str, encoding: str
) -> None:
    answer = await hostile_desk.call(action, encoding, **{"TemplateId": NOTICE, **values, "Action": action})
    assert answer["RetCode"] not in (150, 18004)


@pytest.fixture
async def hostile_desk() -> Any:
    async with desk() as door:
        yield door


async def test_who_guesses_keys_is_logged_by_address_behind_a_trusted_proxy() -> None:
    async with desk(http=replace(HttpSettings(), trusted_proxies=("127.0.0.0/8",))) as door:
        with structlog.testing.capture_logs() as lines:
            headers = {"X-Forwarded-For": "203.0.113.9"}
            async with door.client.get(f"{door.url}?Action={SEND}&Signature=x&PublicKey=y", headers=headers):
                pass
        assert [(line["code"], line["client"]) for line in lines] == [(172, "203.0.113.9")]


async def test_a_refused_request_is_logged_with_its_action_and_the_beginning_of_its_key() -> None:
    async with desk() as door:
        with structlog.testing.capture_logs() as lines:
            await door.send(call() | {"Signature": "0" * 40})
            await door.send(call() | {"PublicKey": "short"})
        assert [(line["code"], line["action"], line["key"]) for line in lines] == [
            (171, SEND, f"{PUBLIC[:8]}…"),
            (172, SEND, "…"),
        ]
        assert all(line["request"] for line in lines)


async def test_a_key_bound_to_addresses_is_asked_for_the_client_behind_a_trusted_proxy() -> None:
    trusting = replace(HttpSettings(), trusted_proxies=("127.0.0.0/8",))
    async with desk(bound("203.0.113.0/24"), http=trusting) as door:
        _, _, body, kind = encoded(call(), "form")
        for forwarded, code in (("203.0.113.9", 0), ("::ffff:203.0.113.9", 0), ("198.51.100.1", 294)):
            headers = {"Content-Type": kind, "X-Forwarded-For": forwarded}
            async with door.client.post(door.url, data=body, headers=headers) as response:
                assert (await response.json())["RetCode"] == code
        assert [address for _, _, address in door.used] == ["203.0.113.9", "::ffff:203.0.113.9"]


async def test_without_trusted_proxies_nobody_can_say_where_he_comes_from() -> None:
    async with desk(bound("203.0.113.0/24")) as door:
        _, _, body, kind = encoded(call(), "form")
        headers = {"Content-Type": kind, "X-Forwarded-For": "203.0.113.9"}
        async with door.client.post(door.url, data=body, headers=headers) as response:
            assert (await response.json())["RetCode"] == 294


async def test_who_is_let_in_is_remembered_and_who_is_not_is_not() -> None:
    async with desk() as door:
        await door.send(call(UserId="1"))
        await door.send(call(UserId="2") | {"Signature": "0" * 40})
        await door.send(call(ProjectId="org-nowhere"))
        assert door.used == [(PUBLIC, door.clock.now_ms(), "127.0.0.1")] * 2


async def test_large_bodies_are_bounded_together() -> None:
    """Those that do not fit are told so before they are read; small requests go on."""
    async with desk(http=HttpSettings(max_body=1_000_000, max_bodies=2_000_000)) as door:
        host, port = door.url.removeprefix("http://").rstrip("/").split(":")
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        _, held = await asyncio.open_connection(host, int(port))
        held.write(head + b"Action=")
        async with asyncio.timeout(10):
            while (await refused_at_once(host, int(port), head)) is None:  # until the first one is being read
                pass
        assert (await door.send(call()))["RetCode"] == 0
        held.close()
        async with asyncio.timeout(10):
            while (await door.send(call(File="x" * 900_000)))["RetCode"] == 153:  # until its going is noticed
                pass


async def refused_at_once(host: str, port: int, head: bytes) -> dict[str, Any] | None:
    """Return the answer to a request whose body is not sent; None if it is waited for."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(head)
        async with asyncio.timeout(0.2):
            answer = await reader.readuntil(b"}")
    except TimeoutError:
        return None
    finally:
        writer.close()
    document: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert document == {"RetCode": 153, "Message": "Request throttled, try again shortly"}
    return document


async def test_what_is_not_http_gets_a_plain_refusal() -> None:
    async with desk() as door:
        host, port = door.url.removeprefix("http://").rstrip("/").split(":")
        expect = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx"
        line = b"GET /?" + b"x" * (MAX_LINE + 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        for bad, status in ((b"GET / HTTP/1.1\r\n bad\r\n\r\n", b"400"), (line, b"400"), (expect, b"417")):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(bad)
            assert (await reader.readline()).split()[1] == status
            writer.close()
        assert (await door.send(call()))["RetCode"] == 0
