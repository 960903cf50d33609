"""The house keeps its own rules: mirrored trees, directions, sizes, names, pages that tell the truth."""

import ast
import re
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from scripts import reference

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "routing", "carriers", "gateway")

FILE_LINES, FUNCTION_LINES, ARGUMENTS, NESTING = 500, 60, 7, 4
MEDIAN_FILE, MEDIAN_FUNCTION, LONG_FUNCTION = 160, 9, 30  # the last one: 90th percentile

# modules without a test file of their own, and where they are tested instead
TESTED_ELSEWHERE = {
    "config/schema.py": "plain values; tests/config/test_load.py reads every one",
    "config/read.py": "through its only caller, tests/config/test_load.py",
    "config/match.py": "through its only caller, tests/config/test_load.py",
    "config/check.py": "through its only caller, tests/config/test_load.py",
    "carriers/results.py": "plain values",
    "carriers/errors.py": "plain exceptions",
    "carriers/leg.py": "tests/carriers/test_channel.py and test_channel_faults.py, over TCP",
    "carriers/simulator/options.py": "plain values",
    "carriers/simulator/connection.py": "tests/carriers/simulator/test_server.py, over TCP",
    "carriers/smpp/events.py": "plain values",
    "carriers/smpp/exchange.py": "the part of the session its answers go through: test_session, test_answers",
    "carriers/smpp/layout.py": "the codec's tables at work: test_codec, test_pdu",
    "carriers/smpp/wire.py": "the codec's fields: test_codec, test_pdu, against smpplib too",
    "gateway/admin/call.py": "what every handler is given: the tests of each, over sockets",
    "gateway/cli/common.py": "what every command does: the tests of each",
    "gateway/cli/office.py": "what every command of the store does: the tests of each",
    "gateway/cli/serve.py": "tests/scenarios starts it as a process",
    "gateway/api/scloud/conversion.py": "on a running gateway: tests/actions/test_records.py",
    "gateway/api/scloud/reports.py": "on a running gateway: tests/actions/test_records.py",
    "gateway/api/scloud/statistics.py": "on a running gateway: tests/actions/test_records.py",
    "gateway/flow/records.py": "on a running gateway: tests/actions/test_records.py",
    "gateway/flow/batch.py": "values of the endpoint: test_endpoint",
    "gateway/flow/context.py": "plain values",
    "gateway/flow/owners.py": "what test_inbound is about",
    "gateway/store/query.py": "under every read: test_messages, test_reads, on both databases",
    "gateway/errors.py": "plain exceptions",
    "gateway/clock.py": "two calls of the standard library",
    "gateway/live.py": "one assignment",
    "gateway/version.py": "one look-up",
    "gateway/__main__.py": "two lines; tests/gateway/cli starts the commands",
    "gateway/app.py": "composition; tests/scenarios runs it as a process",
    "gateway/store/tables.py": "compared with the migrations: test_migrations",
    "gateway/store/tables_base.py": "compared with the migrations: test_migrations",
    "gateway/store/tables_keys.py": "compared with the migrations: test_migrations",
    "gateway/store/tables_inbound.py": "compared with the migrations: test_migrations",
    "gateway/store/tables_operators.py": "compared with the migrations: test_migrations",
    "gateway/store/tables_stats.py": "compared with the migrations: test_migrations",
    "gateway/store/tables_review.py": "compared with the migrations: test_migrations",
    "gateway/store/qualification_fields.py": "plain values",
    "gateway/api/scloud/handin.py": "what the actions of tests/actions/review.py share",
    "gateway/api/scloud/signatures.py": "tests/actions, against a running gateway",
    "gateway/api/scloud/templates.py": "tests/actions, against a running gateway",
    "gateway/api/scloud/qualifications.py": "tests/actions, against a running gateway",
    "gateway/api/scloud/files.py": "tests/actions, against a running gateway",
    "gateway/store/tables_risk.py": "compared with the migrations: test_migrations",
    "gateway/store/changes.py": "plain values: test_bulk",
    "gateway/store/migrations/env.py": "run by every test that opens a store",
}

# tests of several modules together, beside the first of them
STORIES = {
    "tests/gateway/api/scloud/test_clients.py": "the published clients against the whole door",
    "tests/gateway/store/test_durability.py": "journal, committer and engine with the plug pulled",
}

# what must not stay behind in anything we ship
LEFTOVERS = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|\bfor now([,.;:)]|$)|\bplaceholder\b|/work/|\bin a real (system|product)\b"
)


def modules() -> list[Path]:
    """Every source module, migrations' versions apart: they are history."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found if "versions" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def nesting(node: ast.AST) -> int:
    """How many blocks deep the deepest statement stands; a function inside starts anew."""
    blocks = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        # `elif` is a sibling to the reader, a child to the parser
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, nesting(child) + (isinstance(child, blocks) and not chained))
    return deepest


def test_every_module_has_its_tests() -> None:
    missing = []
    for path in modules():
        whole = path.name == "__init__.py"
        if whole and not list(functions(path)):
            continue
        name = path.parent.name if whole else path.stem
        beside = ROOT / "tests" / path.parent
        homes = (beside, beside.parent) if whole else (beside,)
        tests = [
            test
            for home in homes
            for form in (f"test_{name}.py", f"test_{name}_*.py")
            for test in home.glob(form)
        ]
        if not tests and str(path) not in TESTED_ELSEWHERE:
            missing.append(str(path))
    assert missing == [], "\n".join(missing)


def test_exceptions_are_still_needed() -> None:
    gone = [path for path in (*TESTED_ELSEWHERE, *STORIES) if not (ROOT / path).exists()]
    assert gone == [], "\n".join(gone)


def test_every_test_file_has_its_module() -> None:
    strays = []
    for path in (test for package in PACKAGES for test in (ROOT / "tests" / package).rglob("test_*.py")):
        directory = ROOT / path.parent.relative_to(ROOT / "tests")
        known = {directory.name, *(inside.stem for inside in directory.iterdir())}
        name = path.stem.removeprefix("test_")
        named = any(name == stem or name.startswith(f"{stem}_") for stem in known)
        here = str(path.relative_to(ROOT))
        if not named and here not in STORIES:
            strays.append(here)
    assert strays == [], "\n".join(strays)


def test_imports_go_one_way() -> None:
    # in a process of its own: it configures logging, and switches off the loggers it does not know
    command = [
        sys.executable,
        "-P",
        "-c",
        "from importlinter.cli import lint_imports as l; exit(l(no_cache=True))",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_and_functions_stay_small() -> None:
    too_big = [
        f"{path}: {lines} lines"
        for path in modules()
        if (lines := len((ROOT / path).read_text(encoding="utf-8").splitlines())) > FILE_LINES
    ]
    for path in modules():
        for function in functions(path):
            where = f"{path}:{function.lineno} {function.name}"
            if length(function) > FUNCTION_LINES:
                too_big.append(f"{where}: {length(function)} lines")
            if nesting(function) > NESTING:
                too_big.append(f"{where}: nested {nesting(function)} deep")
    assert too_big == [], "\n".join(too_big)


def test_most_files_and_functions_are_smaller_still() -> None:
    files = [len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()]
    lengths = [length(function) for path in modules() for function in functions(path)]
    assert statistics.median(files) <= MEDIAN_FILE
    assert statistics.median(lengths) <= MEDIAN_FUNCTION
    assert statistics.quantiles(lengths, n=10)[-1] <= LONG_FUNCTION


def test_nothing_unfinished_is_left_behind() -> None:
    written = [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    for directory in (*PACKAGES, "tests", "docs", "scripts"):
        written += (path for path in (ROOT / directory).rglob("*") if path.suffix in (".py", ".md", ".toml"))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in written
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if LEFTOVERS.search(line)
    ]
    assert found == [], "\n".join(found)


def test_our_package_names_are_ours_alone() -> None:
    """`config` and `routing` are the names of foreign distributions too; beside one we would break."""
    owners = packages_distributions()
    assert {name: set(owners.get(name, ["scloud-sms"])) for name in PACKAGES} == {
        name: {"scloud-sms"} for name in PACKAGES
    }


@pytest.mark.slow
def test_the_wheel_holds_the_packages_whole_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build back end is installed by make, not by every developer")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in names} == set(PACKAGES)
    assert {str(path) for path in modules()} <= names
    assert {"config/gateway.toml", "config/network.toml"} <= names
    assert any(name.startswith("gateway/store/migrations/versions/") for name in names)


def test_the_reference_pages_say_what_the_code_says() -> None:
    stale = [str(path) for path, content in reference.pages().items() if path.read_text("utf-8") != content]
    assert stale == [], "run: make docs"


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == [], "\n".join(broken)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [("ruff", "format", "--check", "-q"), ("ruff", "check", "-q"), ("mypy", "--cache-dir=/dev/null")],
    ids=" ".join,
)
def test_format_lint_and_types_are_clean(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
