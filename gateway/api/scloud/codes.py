"""RetCodes of the SCloud API, and the exception that carries one to the customer."""

from enum import IntEnum


class RetCode(IntEnum):
    """What a request is answered with. The first block is the API gateway's, the second the SMS service's."""

    OK = 0
    GATEWAY_TIMEOUT = 110
    SERVICE_UNAVAILABLE = 150
    THROTTLED = 153
    ACTION_MISSING = 160
    ACTION_UNKNOWN = 161
    SIGNATURE_MISSING = 170
    SIGNATURE_WRONG = 171
    USER_UNKNOWN = 172
    ACCOUNT_RESTRICTED = 173
    TOKEN_UNKNOWN = 174
    TOO_LARGE = 240
    PROJECT_FORBIDDEN = 290
    ACTION_FORBIDDEN = 291
    PROJECT_UNKNOWN = 292
    ADDRESS_FORBIDDEN = 294

    JSON_ERROR = 18000
    PARAMETER_MISSING = 18001
    PARAMETER_FORMAT = 18002
    PARAMETER_INVALID = 18003
    SERVICE_FAULT = 18004
    BALANCE_SHORT = 18013
    PHONE_INVALID = 18014
    SIGNATURE_NOT_APPROVED = 18016
    TEMPLATE_NOT_APPROVED = 18017
    VARIABLE_COUNT = 18018
    TOO_MANY_NUMBERS = 18019
    CONTENT_BLOCKED = 18023
    VARIABLE_INVALID = 18033
    PARTLY_SUBMITTED = 18046


SERVICE_CODES = 18000  # from here on, and for OK, an answer names its action

# the words real clients have been seen to get, where they are known
MESSAGES: dict[RetCode, str] = {
    RetCode.GATEWAY_TIMEOUT: "Request timeout",
    RetCode.SERVICE_UNAVAILABLE: "Service unavailable",
    RetCode.THROTTLED: "Request throttled, try again shortly",
    RetCode.ACTION_MISSING: "Missing Action",
    RetCode.ACTION_UNKNOWN: "Action Not Exists",
    RetCode.SIGNATURE_MISSING: "Missing signature",
    RetCode.SIGNATURE_WRONG: "Signature VerifyAC Error",
    RetCode.USER_UNKNOWN: "User Not Exists",
    RetCode.ACCOUNT_RESTRICTED: "Account restricted",
    RetCode.TOKEN_UNKNOWN: "SecurityToken Not Exists",
    RetCode.TOO_LARGE: "Request body too large",
    RetCode.PROJECT_FORBIDDEN: "Project not authorised",
    RetCode.ACTION_FORBIDDEN: "No permission for this Action",
    RetCode.PROJECT_UNKNOWN: "Project Not Exists",
    RetCode.ADDRESS_FORBIDDEN: "Client IP not on the allow-list",
    RetCode.JSON_ERROR: "JSON parse error",
    RetCode.PARAMETER_MISSING: "Parameter missing",
    RetCode.PARAMETER_FORMAT: "Parameter badly formatted",
    RetCode.PARAMETER_INVALID: "Parameter invalid",
    RetCode.SERVICE_FAULT: "Service fault, nothing was submitted",
    RetCode.BALANCE_SHORT: "Not enough balance",
    RetCode.PHONE_INVALID: "Phone number invalid",
    RetCode.SIGNATURE_NOT_APPROVED: "Signature not applied for or not approved",
    RetCode.TEMPLATE_NOT_APPROVED: "Template missing or not approved",
    RetCode.VARIABLE_COUNT: "Parameters do not match the template",
    RetCode.TOO_MANY_NUMBERS: "Too many phone numbers",
    RetCode.CONTENT_BLOCKED: "Content has blocked words",
    RetCode.VARIABLE_INVALID: "Variable value breaks the variable rules",
    RetCode.PARTLY_SUBMITTED: "Part of the messages were not submitted",
}


class Refusal(Exception):
    """The request is refused and has changed nothing; the text goes to the customer."""

    def __init__(self, code: RetCode, detail: str = "") -> None:
        self.code = code
        self.message = f"{MESSAGES[code]}: {detail}" if detail else MESSAGES[code]
        super().__init__(self.message)
