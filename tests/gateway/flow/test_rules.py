"""The rule file as the gateway reads it: at start, and again when it changes."""

from pathlib import Path

import pytest

from config.load import ConfigError
from config.schema import ReviewSettings
from gateway.domain.check import SignatureItem
from gateway.flow.rules import RuleFile, checks_of

BRAND = SignatureItem(
    text="Acme", type=None, certificate=None, international=False, has_paper=False, qualification=None
)
RULE = '[[rule]]\nid = "acme"\nreason = "no acme"\nwords.en = ["acme"]\n'


def found(file: RuleFile) -> list[str]:
    return [finding.rule for finding in file.checks(BRAND)]


def test_without_a_name_the_shipped_rules_are_used() -> None:
    assert len(checks_of(ReviewSettings()).rules.rule) == 42


def test_a_changed_file_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("")
    file = RuleFile(ReviewSettings(rules=str(path)))
    assert found(file) == []
    path.write_text(RULE)
    file.refresh()
    assert found(file) == ["acme"]


def test_one_with_mistakes_is_told_of_and_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULE)
    file = RuleFile(ReviewSettings(rules=str(path)))
    path.write_text("[[rule]]\nid = 5")
    file.refresh()
    assert found(file) == ["acme"]
    assert "review rules not taken over" in "".join(capsys.readouterr())
    path.unlink()
    file.refresh()
    assert found(file) == ["acme"]
    path.write_text("")
    file.refresh()
    assert found(file) == []


def test_a_start_with_mistakes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("[[rule]]\nid = 5")
    with pytest.raises(ConfigError, match="reason: is required"):
        RuleFile(ReviewSettings(rules=str(path)))
    with pytest.raises(ConfigError, match="cannot be read"):
        checks_of(ReviewSettings(rules=str(tmp_path / "none.toml")))
