"""Who asks, and for which project: the checks before an action is looked at more closely."""

from collections.abc import Mapping

from gateway.api.scloud.codes import Refusal, RetCode
from gateway.auth.scloud import SIGNATURE, Parameters, scalar_text, verify
from gateway.domain.account import Account, ApiKey, Directory, Project


def public_text(parameters: Parameters, name: str) -> str:
    """Return a public parameter as text; "" if it is absent or no single value."""
    value = parameters.get(name)
    if type(value) is str:
        return value
    return "" if value is None or isinstance(value, list | dict) else scalar_text(value)


def authenticate(parameters: Parameters, keys: Mapping[str, ApiKey], now_ms: int) -> ApiKey:
    """Return the key that signed.

    Raises `Refusal` 170, 172 (unknown, disabled or replaced key), 171, 173, or 174: we hand out no temporary
    credentials, so whoever shows the token of one does not talk to whom he thinks.
    """
    if not public_text(parameters, SIGNATURE):
        raise Refusal(RetCode.SIGNATURE_MISSING)
    key = keys.get(public_text(parameters, "PublicKey"))
    if key is None or not key.usable(now_ms):
        raise Refusal(RetCode.USER_UNKNOWN)
    if not verify(parameters, key.private_key):
        raise Refusal(RetCode.SIGNATURE_WRONG)
    if not key.account.active:
        raise Refusal(RetCode.ACCOUNT_RESTRICTED)
    if "SecurityToken" in parameters and parameters["SecurityToken"] != "":
        raise Refusal(RetCode.TOKEN_UNKNOWN)
    return key


def admit(key: ApiKey, address: str) -> None:
    """Raise `Refusal` 294 unless `key` may be used from `address`."""
    if not key.admits(address):
        raise Refusal(RetCode.ADDRESS_FORBIDDEN, address)


def choose_project(parameters: Parameters, account: Account, directory: Directory) -> Project:
    """Return the project named, or the default one; raises `Refusal` 292 unknown, 290 somebody else's."""
    project_id = public_text(parameters, "ProjectId")
    project = account.projects.get(project_id) if project_id else account.default_project
    if project is not None:
        return project
    if project_id in directory.project_owner:
        raise Refusal(RetCode.PROJECT_FORBIDDEN)
    raise Refusal(RetCode.PROJECT_UNKNOWN)
