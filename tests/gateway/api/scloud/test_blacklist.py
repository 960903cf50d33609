"""BatchCreateUSMSBlacklistPhone: numbers that are to get nothing more."""

import base64
import json
from typing import Any

import pytest

from gateway.api.scloud.blacklist import read_number
from gateway.domain.lists import Listing, ListKind, Source
from gateway.errors import StoreUnavailable
from routing.number import NumberReader
from tests.support.scloud import ENCODINGS, PLAN, PROJECT, desk

ACTION = "BatchCreateUSMSBlacklistPhone"


def black(entries: Any) -> str:
    """Return what `BlackList` takes, with the line breaks of the published sample."""
    return base64.encodebytes(json.dumps(entries, indent=1).encode()).decode().replace("\n", "\r\n")


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_the_numbers_are_listed_for_the_project_and_named_as_they_were_given(encoding: str) -> None:
    async with desk() as door:
        entries = [
            {"Phone": "(60)123456789", "Purpose": 3, "Remark": "asked by mail"},
            {"Phone": "8618500000123", "Purpose": 0},
            {"Phone": "+6591234567", "Purpose": "1"},
        ]
        answer = await door.call(ACTION, encoding, IsGlobal=False, BlackList=black(entries))
        assert (answer["RetCode"], answer["Message"]) == (0, "Success")
        assert answer["SuccessList"] == ["(60)123456789", "8618500000123", "+6591234567"]
        assert answer["FailedList"] == []
        assert len(answer["ReqUuid"]) == 36
        one = Listing("acc-1", PROJECT, ListKind.BLOCKED, 60123456789, 3, Source.API, "asked by mail", "api")
        assert door.lists.listed == [
            one,
            one._replace(phone=8618500000123, purpose=0, remark=""),
            one._replace(phone=6591234567, purpose=1, remark=""),
        ]


@pytest.mark.parametrize(
    ("given", "project"), [(True, ""), ("true", ""), ("1", ""), (False, PROJECT), ("FALSE", PROJECT)]
)
async def test_global_means_every_project_of_the_account(given: Any, project: str) -> None:
    async with desk() as door:
        await door.call(
            ACTION, "flat", IsGlobal=given, BlackList=black([{"Phone": "(60)123456789", "Purpose": 0}])
        )
        assert [listing.project_id for listing in door.lists.listed] == [project]


@pytest.mark.parametrize(
    "entry",
    [
        {"Phone": "(60)1", "Purpose": 0},
        {"Phone": "", "Purpose": 0},
        {"Phone": "(60)123456789", "Purpose": 4},
        {"Phone": "(60)123456789", "Purpose": "otp"},
        {"Phone": "(60)123456789", "Purpose": 0, "Remark": "x" * 257},
        {"Phone": "(60)123456789", "Purpose": 0, "Remark": "a\x07b"},
        {"Phone": "6" * 5_000, "Purpose": 0},
        {},
    ],
)
async def test_an_entry_that_cannot_be_used_is_handed_back_and_the_others_count(
    entry: dict[str, Any],
) -> None:
    async with desk() as door:
        good = {"Phone": "(60)123456780", "Purpose": 0}
        answer = await door.call(ACTION, IsGlobal=True, BlackList=black([entry, good]))
        assert answer["RetCode"] == 0
        assert answer["FailedList"] == [entry.get("Phone", "")]
        assert answer["SuccessList"] == ["(60)123456780"]
        assert [listing.phone for listing in door.lists.listed] == [60123456780]


async def test_a_number_given_twice_is_listed_once_for_each_purpose() -> None:
    async with desk() as door:
        entries = [{"Phone": "(60)123456789", "Purpose": purpose} for purpose in (1, 1, 3)]
        answer = await door.call(ACTION, IsGlobal=True, BlackList=black(entries))
        assert len(answer["SuccessList"]) == 3
        assert [listing.purpose for listing in door.lists.listed] == [1, 3]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BlackList": "%%%"}, 18000),
        ({"BlackList": base64.b64encode(b"[{").decode()}, 18000),
        ({"BlackList": ""}, 18001),
        ({"IsGlobal": ""}, 18001),
        ({"BlackList": black([])}, 18001),
        ({"BlackList": black({"Phone": "(60)123456789"})}, 18002),
        ({"BlackList": black(["(60)123456789"])}, 18002),
        ({"BlackList": black([{"Phone": ["(60)123456789"]}])}, 18002),
        ({"IsGlobal": "maybe"}, 18002),
        ({"BlackList": black([{"Phone": "(60)12345\0"}])}, 18003),
        ({"BlackList": "A" * (4 * 1024 * 1024 + 4)}, 18003),
        ({"BlackList": black([{"Phone": "(60)123456789"}] * 1001)}, 18019),
    ],
)
async def test_a_request_that_cannot_be_read_is_refused_and_lists_nothing(
    changes: dict[str, Any], code: int
) -> None:
    async with desk() as door:
        whole = {"IsGlobal": True, "BlackList": black([{"Phone": "(60)123456789"}])} | changes
        assert (await door.call(ACTION, **whole))["RetCode"] == code
        assert door.lists.listed == []


async def test_a_thousand_numbers_are_one_request() -> None:
    async with desk() as door:
        entries = [{"Phone": f"(60)12{n:07d}", "Purpose": 0, "Remark": "全部" * 64} for n in range(1000)]
        answer = await door.call(ACTION, IsGlobal=True, BlackList=black(entries))
        assert (answer["RetCode"], len(door.lists.listed)) == (0, 1000)


async def test_nothing_is_promised_that_the_store_did_not_take() -> None:
    async with desk() as door:
        door.lists.error = StoreUnavailable("gone")
        request = {"IsGlobal": True, "BlackList": black([{"Phone": "(60)123456789"}])}
        assert (await door.call(ACTION, **request))["RetCode"] == 18004
        door.lists.error = None
        assert (await door.call(ACTION, **request))["RetCode"] == 0
        assert len(door.lists.listed) == 1


@pytest.mark.parametrize(
    ("given", "digits"),
    [
        ("(60)123456789", "60123456789"),
        ("60123456789", "60123456789"),
        ("+60123456789", "60123456789"),
        ("(0060)123456789", "60123456789"),
        ("00123", None),
        ("6", None),
    ],
)
def test_bare_digits_begin_with_their_country(given: str, digits: str | None) -> None:
    found = read_number(NumberReader(PLAN, "CN"), given)
    assert (found and found.digits) == digits
