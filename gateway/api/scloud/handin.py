"""What the actions on signatures, templates and qualifications share: whose, by whom, errors as RetCodes."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from gateway.api.scloud.call import Call, encode
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.domain.operator import customer
from gateway.domain.paper import BadPaper, NotBase64
from gateway.errors import Conflict, Invalid, NotFound
from gateway.flow.papers import Named
from gateway.flow.replay import Answer
from gateway.store.applications import Owner
from gateway.store.audit import By

T = TypeVar("T")

MAX_IDS = 100  # of one request
_INVALID = RetCode.PARAMETER_INVALID


def owner(call: Call) -> Owner:
    """Return whose things are meant: the caller's, in the project that was chosen."""
    return Owner(call.account.id, call.project.id)


def by(call: Call) -> By:
    """Return who changes something by this request, and when."""
    return By(customer(call.account.id, call.request_id), call.services.clock.now_ms())


async def performed(work: Awaitable[T], missing: RetCode = _INVALID) -> T:
    """Return what `work` does; raises `Refusal` with `missing` for what is not there, else 18003 or 18002."""
    try:
        return await work
    except NotFound as error:
        raise Refusal(missing, str(error)) from None
    except (Invalid, Conflict, BadPaper) as error:
        raise Refusal(RetCode.PARAMETER_INVALID, str(error)) from None
    except NotBase64:
        raise Refusal(RetCode.PARAMETER_FORMAT, "the file is not base64") from None


async def with_papers(call: Call, names: Sequence[str], work: Named[T], missing: RetCode = _INVALID) -> T:
    """Do `work` with the ids of the files in parameters `names`, in one transaction with their rows.

    Raises `Refusal` as `performed` does.
    """
    reviews = call.services.reviews
    texts = {name: text for name in names if (text := call.bound.texts[name])}
    if not texts:
        return await performed(reviews.change(lambda connection: work(connection, {})), missing)
    done = await performed(call.services.papers.take_with(call.account.id, texts, work), missing)
    reviews.nudge()
    return done


def ids(call: Call, name: str) -> list[str]:
    """Return the ids of a list, each once; raises `Refusal` 18003 for too many."""
    given = list(dict.fromkeys(call.bound.lists[name]))
    if len(given) > MAX_IDS:
        raise Refusal(RetCode.PARAMETER_INVALID, f"at most {MAX_IDS} {name}")
    return given


def changed(call: Call, **fields: object) -> Answer:
    """Return the answer of an action that has stored something: a repeated request gets it again."""
    return Answer(encode(call, RetCode.OK, "", **fields), RetCode.OK, stored=True)
