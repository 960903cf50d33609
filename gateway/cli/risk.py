"""`risk`: how the rules run, for everybody and for one account, and what they did."""

import re
from typing import Annotated

import typer

from config.schema import RiskMode, RiskRule
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, day_of, moment, show, show_rows
from gateway.cli.office import by, known_account, office
from gateway.domain.operator import Permission
from gateway.domain.risk import Override, Policy
from gateway.errors import Invalid
from gateway.store import risk
from gateway.store.numbers import check_scope
from gateway.store.risk import Asked

app = typer.Typer(help="Risk control: rates, hours, lists, words.", no_args_is_help=True)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

RuleArgument = Annotated[RiskRule, typer.Argument(metavar="RULE", help="; ".join(RiskRule))]


@app.command("set")
def set_(
    *,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id (acc-…).")],
    rule: RuleArgument,
    mode: Annotated[RiskMode | None, typer.Option("--mode", help="on, monitor or off.")] = None,
    value: Annotated[
        str | None, typer.Option("--value", help="A rate (5/1h), hours (09:00-21:00 refuse) or a length.")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="As everybody's again.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Kept in the audit.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Change a rule for one account; in effect within a second. What is not named stays as it is."""
    if default != (mode is None and value is None):
        raise Invalid("name --mode, --value or both; or --default alone")
    with office(config) as here:
        own = Override(rule, mode, value)
        here.store.transaction(lambda c: risk.set_rule(c, account, own, by(reason, Permission.RISK_WRITE)))
        policies = here.store.read_now(lambda c: risk.load_policies(c, Policy.of(here.settings.risk)))
    policy = policies.of(account)
    show(
        {
            "account_id": account,
            "rule": rule.value,
            "mode": policy.modes[rule].value,
            "value": policy.values.get(rule),
        },
        json,
    )


@app.command("show")
def show_(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="Default: everybody's rules.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show how every rule runs."""
    with office(config) as here:
        everybody = Policy.of(here.settings.risk)
        if account is None:
            policy, own = everybody, {}
        else:
            here.store.read_now(lambda c: check_scope(c, account, ""))
            policy = here.store.read_now(lambda c: risk.load_policies(c, everybody)).of(account)
            own = {one.rule: one for one in here.store.read_now(lambda c: risk.settings(c, account))}
    show_rows(
        [
            {
                "rule": rule.value,
                "mode": policy.modes[rule].value,
                "value": policy.values.get(rule),
                "own": rule.value in own,
                "by": own[rule.value].by if rule.value in own else None,
                "at": moment(own[rule.value].at) if rule.value in own else None,
            }
            for rule in RiskRule
        ],
        json,
    )


@app.command("report")
def report(
    *,
    account: Annotated[str | None, typer.Option("--account", help="Only this account.")] = None,
    rule: Annotated[RiskRule | None, typer.Option("--rule", help="Only this rule.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="From this day (UTC), YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Up to this day.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, help="So many examples instead.")] = 0,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show how often each rule stopped or held a message (on), or would have (monitor)."""
    for text in (since, until):
        if text is not None and (_DAY.fullmatch(text) is None or day_of(text).isoformat() != text):
            raise Invalid(f"{text!r} is no day: write YYYY-MM-DD")
    if since is not None and until is not None and since > until:
        raise Invalid(f"{since} is after {until}")
    asked = Asked(account_id=account, rule=rule and rule.value, since=since, until=until)
    with office(config) as here:
        known_account(here, account)
        if not samples:
            show_rows(here.store.read_now(lambda c: risk.report(c, asked)), json)
            return
        found = here.store.read_now(lambda c: risk.samples(c, asked, samples))
    show_rows([{**row, "at": moment(row["at"])} for row in found], json)
