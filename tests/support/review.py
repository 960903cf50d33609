"""Signatures and templates that went through review, for stories that begin after it."""

from sqlalchemy import Connection

from config.rules import SHIPPED, load_rules
from gateway.domain.check import Checks
from gateway.domain.message import Purpose
from gateway.domain.operator import SYSTEM
from gateway.domain.review import Move
from gateway.store import applications, reviews
from gateway.store.applications import SignatureForm, TemplateForm
from gateway.store.audit import By

CHECKS = Checks(load_rules(SHIPPED))


def approved_signature(
    connection: Connection, account_id: str, text: str, now_ms: int, project_id: str = ""
) -> str:
    """Make an approved signature, return its id."""
    owner = applications.owner_of(connection, account_id, project_id)
    by = By(SYSTEM, now_ms, "for the test")
    made = applications.create_signature(connection, owner, SignatureForm(text=text), by)
    reviews.decide(connection, CHECKS, made, Move.APPROVE, by)
    return made


def approved_template(
    connection: Connection, account_id: str, purpose: Purpose, text: str, now_ms: int, project_id: str = ""
) -> str:
    """Make an approved template, return its id."""
    made = pending_template(connection, account_id, purpose, text, now_ms, project_id)
    reviews.decide(connection, CHECKS, made, Move.APPROVE, By(SYSTEM, now_ms, "for the test"))
    return made


def pending_template(
    connection: Connection, account_id: str, purpose: Purpose, text: str, now_ms: int, project_id: str = ""
) -> str:
    """Make a template that nobody has looked at, return its id."""
    owner = applications.owner_of(connection, account_id, project_id)
    form = TemplateForm(purpose=purpose, text=text)
    return applications.create_template(connection, owner, form, By(SYSTEM, now_ms))
