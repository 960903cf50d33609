"""The configuration by command line."""

from tests.support.cli import CommandLine


def test_the_examples_pass_the_check(cli: CommandLine) -> None:
    done = cli("config", "check", "--json")
    assert done.code == 0
    assert done.json["channels"] == "simulator-a"
    assert done.json["store"] == f"sqlite:///{cli.directory}/gateway.db"


def test_every_mistake_is_told_on_a_line_of_its_own(cli: CommandLine) -> None:
    (cli.directory / "gateway.toml").write_text('[http]\npublic = "8080"\n[log]\nlevel = "loud"\n')
    done = cli("config", "check", "--json")
    assert (done.code, done.out) == (1, "")
    assert [line.startswith("error: ") for line in done.err.splitlines()] == [True, True]


def test_one_address_for_both_listeners_is_a_mistake(cli: CommandLine) -> None:
    for admin in ("127.0.0.1:8080", "0.0.0.0:8080"):
        text = f'[http]\npublic = "127.0.0.1:8080"\nadmin = "{admin}"\n'
        (cli.directory / "gateway.toml").write_text(text)
        done = cli("config", "check")
        assert (done.code, done.out) == (1, "")
        assert f"http.admin: is the public listener's too: {admin}" in done.err


def test_a_network_that_sends_nothing_is_doubted(cli: CommandLine) -> None:
    network = cli.directory / "network.toml"
    whole = network.read_text()
    network.write_text(whole[: whole.index("[[route]]")])
    done = cli("config", "check", "--json")
    assert done.code == 0
    assert "the network has no route" in done.json["warnings"]
    assert done.err.startswith("warning: the network has no route: every message fails with no_route")
    network.write_text("")
    assert "the network has no channel" in cli("config", "check").err
    network.write_text(whole + '[[carrier]]\nid = "b"\n[[carrier.channel]]\nid = "b-1"\nhost = "b"\n'
                       'port = 2775\nsystem_id = "us"\n')  # fmt: skip
    assert "no route uses channel 'b-1'" in cli("config", "check").err


def test_what_is_as_it_should_be_is_not_doubted(cli: CommandLine) -> None:
    done = cli("config", "check", "--json")
    assert (done.err, done.json["warnings"]) == ("", None)


def test_a_country_nobody_can_be_called_in_is_a_mistake(cli: CommandLine) -> None:
    network = cli.directory / "network.toml"
    network.write_text(network.read_text().replace('match = "*"', 'match = "XX"'))
    done = cli("config", "check")
    assert done.code == 1
    assert "no country of the telephone network is called 'XX'" in done.err


def test_a_channels_country_nobody_can_be_called_in_is_a_mistake(cli: CommandLine) -> None:
    network = cli.directory / "network.toml"
    example = network.read_text()
    for country in ("MYS", "0", "999", "ZZ", "my"):
        network.write_text(example.replace('# country = ""', f'country = "{country}"'))
        done = cli("config", "check")
        assert done.code == 1
        assert "country: " in done.err
        assert repr(country) in done.err
    for country in ("MY", "60"):
        network.write_text(example.replace('# country = ""', f'country = "{country}"'))
        assert cli("config", "check").code == 0


def test_what_smpp_cannot_carry_is_a_mistake(cli: CommandLine) -> None:
    network = cli.directory / "network.toml"
    text = network.read_text().replace('source = "SCLOUD"', 'source = "TWELVE CHARS"')
    network.write_text(text.replace("# [carrier.channel.in_doubt]", 'statuses = { ESME_RX = "route" } #'))
    for command in (("config", "check"), ("serve",)):
        done = cli(*command)
        assert done.code == 1
        assert done.err.splitlines() == [
            "error: channel 'simulator-a'.source: a sender in letters has at most 11 GSM characters",
            "error: channel 'simulator-a'.statuses: 'ESME_RX' is neither a command_status name nor a number",
        ]


def test_the_gateway_starts_with_nothing_the_check_would_refuse(cli: CommandLine) -> None:
    settings = cli.directory / "gateway.toml"
    settings.write_text(settings.read_text().replace('default_country = "CN"', 'default_country = "XX"'))
    done = cli("serve")
    assert (done.code, done.out) == (1, "")
    assert "no country of the telephone network is called 'XX'" in done.err


def test_a_password_in_the_stores_url_is_not_printed(cli: CommandLine) -> None:
    settings = cli.directory / "gateway.toml"
    settings.write_text('[store]\nurl = "postgresql+psycopg://sms:hunter2@db/sms"')
    assert "hunter2" not in cli("config", "check", "--json").out


def test_existing_files_are_left_alone(cli: CommandLine) -> None:
    (cli.directory / "gateway.toml").write_text("# mine")
    (cli.directory / "network.toml").unlink()
    done = cli("config", "init", str(cli.directory), "--json")
    assert done.json["written"] == [str(cli.directory / "network.toml")]
    assert (cli.directory / "gateway.toml").read_text() == "# mine"
