"""Customers: accounts, their projects and keys, and the directory that finds them without a query."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.domain.allowlist import AllowList
from gateway.domain.template import SmsSignature, Template, bare_signature


@dataclass(frozen=True)
class Project:
    """What groups a customer's signatures and templates; oldest first."""

    id: str
    name: str
    is_default: bool
    created_at: int  # unix ms
    signatures: tuple[SmsSignature, ...] = ()
    templates: tuple[Template, ...] = ()

    @cached_property
    def templates_by_id(self) -> Mapping[str, Template]:
        """Every template of the project, whatever its status."""
        return {template.id: template for template in self.templates}

    @cached_property
    def first_approved_signature(self) -> SmsSignature | None:
        """What a request that names no signature gets."""
        return next((signature for signature in self.signatures if signature.approved), None)

    @cached_property
    def _signatures(self) -> Mapping[str, SmsSignature]:
        found: dict[str, SmsSignature] = {}
        # an approved one wins over others of the same text, an id over a text
        for approved in (False, True):
            for signature in reversed(self.signatures):
                if signature.approved is approved:
                    found[signature.text] = signature
        return found | {signature.id: signature for signature in self.signatures}

    def signature(self, given: str) -> SmsSignature | None:
        """Return the signature meant by its text, its text in brackets, or its id; None if there is none."""
        return self._signatures.get(given) or self._signatures.get(bare_signature(given))


@dataclass(frozen=True)
class Account:
    """A customer. `active` False: it exists and may do nothing."""

    id: str
    name: str
    active: bool
    callback_url: str | None
    language: str | None  # of receipts: en | zh; None: the setting
    projects: Mapping[str, Project]  # by id
    pull_reports: bool = False  # its reports are kept to be pulled

    @cached_property
    def default_project(self) -> Project | None:
        """What a request without ProjectId gets."""
        return next((project for project in self.projects.values() if project.is_default), None)


@dataclass(frozen=True)
class ApiKey:
    """One key pair of an account."""

    public_key: str
    private_key: str = field(repr=False)
    account: Account
    active: bool
    retires_at: int | None = None  # unix ms: replaced by another key, good until then
    allowed: tuple[AllowList, ...] = ()  # the client must be on each of them: the key's, the account's

    def usable(self, now_ms: int) -> bool:
        """Whether requests may be signed with it now."""
        return self.active and (self.retires_at is None or now_ms < self.retires_at)

    def admits(self, address: str) -> bool:
        """Whether it may be used from `address`."""
        # most keys are bound to nothing, and this is asked with every request
        return not self.allowed or all(allowed.allows(address) for allowed in self.allowed)


@dataclass(frozen=True)
class Directory:
    """Everything needed to know who asks and what is theirs; replaced whole on every change."""

    keys: Mapping[str, ApiKey]  # by public key
    accounts: Mapping[str, Account]  # by id
    project_owner: Mapping[str, str]  # project id → account id

    @classmethod
    def of(cls, accounts: Iterable[Account], keys: Iterable[ApiKey]) -> "Directory":
        """Index `accounts` and `keys`."""
        by_id = {account.id: account for account in accounts}
        return cls(
            keys={key.public_key: key for key in keys},
            accounts=by_id,
            project_owner={project: account.id for account in by_id.values() for project in account.projects},
        )
