"""Accounts' own risk settings, what the rules did by day, and what was accepted within the last day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    not_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from config.schema import RiskMode, RiskRule
from gateway.domain.message import State
from gateway.domain.risk import Override, Policies, Policy, read_value
from gateway.errors import Invalid
from gateway.ids import id_at
from gateway.store import audit, revisions, tables
from gateway.store.audit import By, Entry
from gateway.store.numbers import check_scope
from gateway.store.query import Given, Query
from gateway.store.tables_risk import risk_counts, risk_rules, risk_samples

_r = risk_rules.c
_c = risk_counts.c
_m = tables.messages.c
_s = tables.submissions.c


@dataclass(frozen=True, slots=True)
class Setting:
    """One account's own setting of a rule."""

    account_id: str
    rule: str
    mode: str | None
    value: str | None
    by: str
    at: int  # unix ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is to cover; None: everything."""

    account_id: str | None = None
    rule: str | None = None
    since: str | None = None  # days, YYYY-MM-DD, inclusive
    until: str | None = None


def set_rule(connection: Connection, account_id: str, own: Override, by: By) -> None:
    """Make `own` the account's setting of a rule; without mode and value, as everybody's again.

    Raises `NotFound`, and `Invalid` for a value the rule cannot have. What is None stays as it was.
    """
    check_scope(connection, account_id, "")
    if own.value is not None:
        try:
            read_value(own.rule, own.value)
        except ValueError as error:
            raise Invalid(f"{own.rule.value}: {error}") from None
    before = _rule(connection, account_id, own.rule)
    after = None
    here = and_(_r.account_id == account_id, _r.rule == own.rule.value)
    if own.mode is None and own.value is None:
        connection.execute(delete(risk_rules).where(here))
    else:
        mode = own.mode.value if own.mode is not None else before and before["mode"]
        value = own.value if own.value is not None else before and before["value"]
        after = {"mode": mode, "value": value}
        make: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        changed: dict[str, Any] = after | {"by": by.actor.name, "at": by.now_ms}
        statement = make(risk_rules).values(account_id=account_id, rule=own.rule.value, **changed)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["account_id", "rule"], set_=changed)
        )
    revisions.bump(connection, revisions.RISK)
    changed_from, changed_to = _named(own.rule, before), _named(own.rule, after)
    entry = Entry("risk.set", "account", account_id, changed_from, changed_to, by.reason)
    audit.record(connection, by.actor, entry, by.now_ms)


def settings(connection: Connection, account_id: str | None = None) -> list[Setting]:
    """Return accounts' own settings, or those of one account."""
    query = select(_r.account_id, _r.rule, _r.mode, _r.value, _r.by, _r.at).order_by(_r.account_id, _r.rule)
    if account_id is not None:
        query = query.where(_r.account_id == account_id)
    return [Setting(*row) for row in connection.execute(query)]


def load_policies(connection: Connection, everybody: Policy) -> Policies:
    """Return every account's policy; a setting that this release does not know is passed over."""
    known = {rule.value: rule for rule in RiskRule}
    own: dict[str, list[Override]] = {}
    for row in settings(connection):
        if row.rule in known:
            mode = RiskMode(row.mode) if row.mode else None
            own.setdefault(row.account_id, []).append(Override(known[row.rule], mode, row.value))
    return Policies(everybody, {account: everybody.with_(rows) for account, rows in own.items()})


def report(connection: Connection, asked: Asked) -> list[Mapping[str, Any]]:
    """Return how often rules stopped something or would have, by day, account and rule."""
    query = select(_c.day, _c.account_id, _c.rule, _c.mode, _c["count"])
    query = _asked(query, _c, asked).order_by(_c.day, _c.account_id, _c.rule, _c.mode)
    return [dict(row._mapping) for row in connection.execute(query)]


def samples(connection: Connection, asked: Asked, limit: int) -> list[Mapping[str, Any]]:
    """Return the newest examples of the same, numbers masked."""
    c = risk_samples.c
    query = select(c.at, c.account_id, c.rule, c.mode, c.phone, c.detail)
    query = _asked(query, c, asked).order_by(c.id.desc()).limit(limit)
    return [dict(row._mapping) for row in connection.execute(query)]


def purge(connection: Connection, before_day: str) -> int | None:
    """Delete what the rules did before that day; None: nothing is left of it."""
    deleted = 0
    for table in (risk_counts, risk_samples):
        deleted += connection.execute(delete(table).where(table.c.day < before_day)).rowcount
    return deleted or None


def accepted_since(
    connection: Connection, since_ms: int, before_id: int, limit: int, purposes: tuple[int, int]
) -> list[tuple[int, str, int, str, str, str, int]]:
    """Return messages accepted since then with ids below `before_id`, newest first; `purposes`: from, to.

    Each as id, account, purpose, phone, template, text, unix ms. Those that ended at once, unsent, are not
    among them, nor are redacted ones.
    """
    rows = _ACCEPTED.rows(
        connection,
        since_id=id_at(since_ms),
        since=since_ms,
        before=before_id,
        first=purposes[0],
        last=purposes[1],
        limit=limit,
    )
    return [tuple(row) for row in rows]


def _rule(connection: Connection, account_id: str, rule: RiskRule) -> dict[str, Any] | None:
    query = select(_r.mode, _r.value).where(_r.account_id == account_id, _r.rule == rule.value)
    row = connection.execute(query).first()
    return None if row is None else dict(row._mapping)


def _named(rule: RiskRule, setting: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if setting is None else {"rule": rule.value, **setting}


def _asked(query: Select[Any], columns: Any, asked: Asked) -> Select[Any]:
    if asked.account_id is not None:
        query = query.where(columns.account_id == asked.account_id)
    if asked.rule is not None:
        query = query.where(columns.rule == asked.rule)
    if asked.since is not None:
        query = query.where(columns.day >= asked.since)
    if asked.until is not None:
        query = query.where(columns.day <= asked.until)
    return query


def _accepted(given: Given) -> Select[Any]:
    template = func.coalesce(_m.template_id, _s.template_id)
    text = func.coalesce(_m.text, _s.text)
    columns = (_m.id, _m.account_id, _m.purpose, _m.phone, template.label("template"), text.label("body"))
    barred = and_(_m.state == int(State.FAILED), _m.final_at == _m.accepted_at)
    rows = select(*columns, _m.accepted_at).join_from(
        tables.messages, tables.submissions, _m.submission_id == _s.id
    )
    rows = rows.where(_m.id >= bindparam("since_id"), _m.id < bindparam("before", type_=BigInteger))
    rows = rows.where(_m.purpose.between(bindparam("first"), bindparam("last")))
    rows = rows.where(
        _m.accepted_at > bindparam("since"), _m.phone.is_not(None), text.is_not(None), not_(barred)
    )
    return rows.order_by(_m.id.desc()).limit(bindparam("limit", type_=BigInteger))


_ACCEPTED = Query(_accepted)
