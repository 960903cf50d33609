"""The rule file of the automatic review: every mistake told at once, with its place."""

import re
from pathlib import Path

import pytest

from config.load import ConfigError
from config.rules import FORMAT_RULES, SHIPPED, RuleSet, Severity, load_rules


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_rules(path)
    return caught.value.problems


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "rules.toml").write_text(text, encoding="utf-8")
        return tmp_path / "rules.toml"

    return write


def test_the_shipped_file_is_sound_and_names_every_check() -> None:
    rules = load_rules(SHIPPED)
    assert rules.severity == FORMAT_RULES
    assert all(f"\n{name} = " in SHIPPED.read_text("utf-8") for name in FORMAT_RULES)


def test_an_empty_file_leaves_the_built_in_checks(write) -> None:
    assert load_rules(write("")) == RuleSet()


def test_a_severity_that_is_not_named_keeps_its_default(write) -> None:
    rules = load_rules(write('[severity]\nlink = "reject"'))
    assert rules.severity == {**FORMAT_RULES, "link": Severity.REJECT}


def test_every_mistake_is_told_at_once(write) -> None:
    path = write(
        """
        [signature]
        least = 5
        most = 3
        [template]
        max_links = -1
        [template.opt_out]
        en = ["...", "re*ply"]
        [severity]
        lnik = "flag"
        [[rule]]
        id = "Bad Id"
        reason = " "
        kinds = ["signatur"]
        purposes = ["otp"]
        patterns = ["(", "x*"]
        [[rule]]
        id = "link"
        reason = "no"
        [[rule]]
        id = "same"
        reason = "no"
        words.en = ["a"]
        [[rule]]
        id = "same"
        reason = "no"
        words.en = ["b"]
        """
    )
    told = "\n".join(problems(path))
    for part in (
        "signature: least and most must be",
        "template.max_links: must be 0 or more",
        "template.opt_out.en: '...' must have a letter",
        "'re*ply': one * may stand at the end",
        "severity.lnik: there is no such check; did you mean link?",
        "rule 'Bad Id'.id: must be 1 to 40 small letters",
        "rule 'Bad Id'.reason: is empty",
        "rule 'Bad Id'.kinds: 'signatur' is none of signature, template, qualification; did you",
        "rule 'Bad Id'.purposes: 'otp' is none of",
        "rule 'Bad Id'.patterns: '(': ",
        "'x*' matches an empty text",
        "rule 'link': given more than once, or the name of a built-in check",
        "rule 'link': has neither words nor patterns",
        "rule 'same': given more than once",
    ):
        assert part in told, part
    assert all(line.startswith(str(path)) for line in told.splitlines())


def test_wrong_types_and_unknown_keys_are_told(write) -> None:
    told = "\n".join(problems(write('[[rule]]\nid = 5\nreson = "x"\nseverity = "block"\nwords = ["a"]')))
    assert "reson: unknown key; did you mean reason?" in told
    assert "severity: must be one of reject, flag, off; not 'block'" in told
    assert "words: must be a table" in told


def test_a_file_that_cannot_be_read_is_told(write, tmp_path: Path) -> None:
    assert "cannot be read" in problems(tmp_path / "none.toml")[0]
    assert "is not TOML" in problems(write("[["))[0]
    (tmp_path / "latin.toml").write_bytes(b'x = "\xe9"')
    assert "not UTF-8" in problems(tmp_path / "latin.toml")[0]


def test_the_page_tells_every_check_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs/review-rules.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (reject|flag|off) \|", page, re.MULTILINE))
    assert told == {name: severity.value for name, severity in FORMAT_RULES.items()}
