"""The directory: who asks, what is theirs, which signature a word means."""

from gateway.domain.account import Account, ApiKey, Directory, Project
from gateway.domain.message import Purpose
from gateway.domain.review import Review
from gateway.domain.template import SmsSignature, Template


def signature(number: int, text: str, status: Review = Review.APPROVED) -> SmsSignature:
    return SmsSignature(f"SIG{number}", text, status)


def project(*signatures: SmsSignature, project_id: str = "org-1", default: bool = True) -> Project:
    return Project(project_id, "Demo", default, 0, signatures)


def test_a_signature_is_found_by_text_brackets_or_id() -> None:
    demo = project(signature(1, "Acme"), signature(2, "Other"))
    for given in ("Acme", "【Acme】", "[Acme]", "SIG1"):
        assert demo.signature(given) == signature(1, "Acme")
    assert demo.signature("acme") is None
    assert demo.signature("") is None


def test_an_approved_signature_wins_over_a_rejected_one_of_the_same_text() -> None:
    rejected, approved = signature(1, "Acme", Review.REJECTED), signature(2, "Acme")
    for demo in (project(rejected, approved), project(approved, rejected)):
        assert demo.signature("Acme") is approved
        assert demo.signature("SIG1") is rejected
    assert project(rejected).signature("Acme") is rejected


def test_the_first_approved_signature_is_the_default() -> None:
    demo = project(signature(1, "No", Review.PENDING), signature(2, "Yes"), signature(3, "Also"))
    assert demo.first_approved_signature == signature(2, "Yes")
    assert project(signature(1, "No", Review.DISABLED)).first_approved_signature is None


def test_templates_are_found_by_id() -> None:
    template = Template("UTN1", Purpose.NOTIFICATION, "name", "text", Review.PENDING)
    assert Project("org-1", "Demo", True, 0, (), (template,)).templates_by_id == {"UTN1": template}
    assert not template.approved


def test_the_directory_knows_keys_accounts_and_owners() -> None:
    first, second = project(), project(project_id="org-2", default=False)
    account = Account("acc", "Demo", True, None, None, {"org-2": second, "org-1": first})
    directory = Directory.of([account], [ApiKey("public", "private", account, True)])
    assert account.default_project is first
    assert directory.keys["public"].account is account
    assert directory.project_owner == {"org-1": "acc", "org-2": "acc"}
    assert Account("x", "x", True, None, None, {}).default_project is None


def test_a_private_key_is_not_shown() -> None:
    account = Account("acc", "Demo", True, None, None, {})
    assert "hidden-word" not in repr(ApiKey("public", "hidden-word", account, True))
