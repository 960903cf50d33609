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


def authenticate(parameters: Parameters, keys: Mapping[str, ApiKey]) -> ApiKey:
    """Return the key that signed; raises `Refusal` 170, 172 (unknown or disabled key), 171 or 173."""
    if not public_text(parameters, SIGNATURE):
        raise Refusal(RetCode.SIGNATURE_MISSING)
    key = keys.get(public_text(parameters, "PublicKey"))
    if key is None or not key.active:
        raise Refusal(RetCode.USER_UNKNOWN)
    if not verify(parameters, key.private_key):
        raise Refusal(RetCode.SIGNATURE_WRONG)
    if not key.account.active:
        raise Refusal(RetCode.ACCOUNT_RESTRICTED)
    return key


def choose_project(parameters: Parameters, account: Account, directory: Directory) -> Project:
    """Return the project named, or the default one; raises `Refusal` 292 unknown, 290 somebody else's."""
    project_id = public_text(parameters, "ProjectId")
    project = account.projects.get(project_id) if project_id else account.default_project
    if project is not None:
        return project
    if project_id in directory.project_owner:
        raise Refusal(RetCode.PROJECT_FORBIDDEN)
    raise Refusal(RetCode.PROJECT_UNKNOWN)
