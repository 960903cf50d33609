"""Projects by command line."""

from tests.support.cli import CommandLine


def test_projects_are_made_renamed_and_chosen(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    made = cli("project", "create", account, "Shop", "--json").json["project_id"]
    cli("project", "rename", made, "Store", "--json")
    cli("project", "default", made, "--json")
    listed = cli("project", "list", account, "--json").json
    assert [(one["name"], one["default"]) for one in listed] == [("Default", False), ("Store", True)]
    assert cli("account", "show", account, "--json").json["project_id"] == made
    assert made in cli("project", "list", account).out


def test_what_cannot_be_done_says_why(cli: CommandLine) -> None:
    account = cli.account()["account_id"]
    for command, told in (
        (("create", account, "Default"), "has a project 'Default' already"),
        (("create", account, " "), "1 to 64 printable characters"),
        (("rename", "org-nobody", "x"), "there is no project org-nobody"),
        (("default", "org-nobody"), "there is no project org-nobody"),
        (("list", "acc-nobody"), "there is no account acc-nobody"),
    ):
        done = cli("project", *command, "--json")
        assert (done.code, done.out) == (1, "")
        assert told in done.err
    assert len(cli("project", "list", account, "--json").json) == 1
