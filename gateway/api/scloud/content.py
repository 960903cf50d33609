"""From a template, a signature and values to the text that is sent: the rules both sending actions share."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.api.scloud.call import Call
from gateway.api.scloud.codes import Refusal, RetCode
from gateway.domain.account import Project
from gateway.domain.template import (
    BadVariable,
    SmsSignature,
    Template,
    WrongVariableCount,
    compose,
)
from gateway.flow.unit import Then

MAX_USER_ID = 32
# letters and digits of any script, blanks and ASCII marks; no quotes, backslashes, angle brackets, emoji
_USER_ID = re.compile(rf"[\w !#$%&()*+,\-./:;=?@\[\]^{{|}}~]{{1,{MAX_USER_ID}}}")
_EXTEND_CODE = re.compile(r"[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Content:
    """An approved template with the signature in front of it."""

    template: Template
    signature: SmsSignature | None

    def text(self, call: Call, values: list[str], countries: Iterable[str], watched: list[Then]) -> str:
        """Return the whole text for recipients in `countries`; raises `Refusal` 18018, 18033 or 18023.

        `watched` gets what is to be noted of it once it is accepted.
        """
        template, guard, account_id = self.template, call.services.texts, call.account.id
        try:
            text = compose(self.signature, template.render(values))
        except WrongVariableCount as error:
            raise Refusal(RetCode.VARIABLE_COUNT, str(error)) from None
        except BadVariable as error:
            raise Refusal(RetCode.VARIABLE_INVALID, str(error)) from None
        if (wrong := guard.values(account_id, template.purpose, values, watched)) is not None:
            raise Refusal(RetCode.VARIABLE_INVALID, wrong)
        if (wrong := guard.text(account_id, template.purpose, text, countries, watched)) is not None:
            raise Refusal(RetCode.CONTENT_BLOCKED, wrong)
        return text


def choose_content(project: Project, template_id: str, signature: str, *, domestic: bool) -> Content:
    """Return what `project` may send by that template and signature; raises `Refusal` 18017 or 18016.

    Without `signature` the project's first approved one is taken. Where it has none, `domestic` numbers are
    refused and others get the bare text.
    """
    template = project.templates_by_id.get(template_id)
    if template is None or not template.approved:
        raise Refusal(RetCode.TEMPLATE_NOT_APPROVED)
    if signature:
        chosen = project.signature(signature)
        if chosen is None or not chosen.approved:
            raise Refusal(RetCode.SIGNATURE_NOT_APPROVED)
        return Content(template, chosen)
    default = project.first_approved_signature
    if default is None and domestic:
        raise Refusal(RetCode.SIGNATURE_NOT_APPROVED, "domestic numbers need one")
    return Content(template, default)


def check_user_id(user_id: str) -> str | None:
    """Return `user_id`, or None for a blank one; raises `Refusal` 18003."""
    if user_id and _USER_ID.fullmatch(user_id) is None:
        raise Refusal(
            RetCode.PARAMETER_INVALID,
            f"UserId has at most {MAX_USER_ID} letters, digits and plain marks, no quotes or emoji",
        )
    return user_id or None


def check_extend_code(extend_code: str) -> None:
    """Check a sub-port: digits. It is not put to use: senders are the channels'. Raises `Refusal` 18003."""
    if extend_code and _EXTEND_CODE.fullmatch(extend_code) is None:
        raise Refusal(RetCode.PARAMETER_INVALID, "ExtendCode has digits only")
