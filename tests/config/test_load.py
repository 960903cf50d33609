"""Settings and network from files, environment and secrets; every mistake told at once, with its place."""

import re
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from config import schema
from config.load import ConfigError, load, load_network, load_settings
from config.schema import (
    BindMode,
    InDoubtPolicy,
    MatchConfig,
    Network,
    Settings,
    TlsConfig,
    TlvConfig,
    TlvKind,
)

CHANNEL = """
[[carrier]]
id = "north"
[[carrier.channel]]
id = "north-a"
host = "smsc.example.net"
port = 2775
system_id = "us"
"""
SHIPPED = Path("config")


@pytest.fixture
def write(tmp_path: Path):
    """Write a settings file and a network file; return the path of the first."""

    def write(settings: str = "", network: str = CHANNEL) -> Path:
        (tmp_path / "gateway.toml").write_text(settings, encoding="utf-8")
        (tmp_path / "network.toml").write_text(network, encoding="utf-8")
        return tmp_path / "gateway.toml"

    return write


def problems(path: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return str(caught.value)


def test_an_empty_settings_file_means_the_defaults(write) -> None:
    settings, network = load(write(), {})
    assert settings.http == schema.HttpSettings()
    assert settings.delivery == schema.DeliverySettings()
    assert network.channels["north-a"].carrier == "north"


def test_paths_stand_beside_the_file_that_names_them(write, tmp_path: Path) -> None:
    settings, _ = load(write('[store]\nurl = "sqlite:///data/sms.db"'), {})
    assert settings.store.url == f"sqlite:///{tmp_path}/data/sms.db"
    assert settings.network.file == str(tmp_path / "network.toml")
    assert settings.security.master_key_file == str(tmp_path / "master.key")


def test_one_socket_cannot_be_both_listeners(write) -> None:
    both = '[http]\npublic = "{}"\nadmin = "{}"'
    for public, admin in (("127.0.0.1:80", "127.0.0.1:80"), ("[::]:80", "127.0.0.1:80")):
        assert "http.admin: is the public listener's too" in problems(write(both.format(public, admin)))
    for public, admin in (("127.0.0.1:80", "127.0.0.2:80"), ("0.0.0.0:80", "0.0.0.0:81"), ("a:0", "a:0")):
        load(write(both.format(public, admin)), {})


def test_a_secret_that_others_can_read_is_pointed_at(
    write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(network=CHANNEL + 'password = "file:secret"\n')
    secret = tmp_path / "secret"
    secret.write_text("hush")
    secret.chmod(0o640)
    load(path, {})
    assert caplog.messages == []
    secret.chmod(0o644)
    load(path, {})
    (told,) = caplog.messages
    assert f"others can read the secret's file {secret}" in told
    assert "north-a" in told
    assert "hush" not in told


@pytest.mark.parametrize(
    "url", ["sqlite:////srv/sms.db", "postgresql+psycopg://sms@db/sms", "postgresql://db/sms"]
)
def test_an_absolute_store_url_stays_as_it_is(write, url: str) -> None:
    assert load(write(f'[store]\nurl = "{url}"'), {})[0].store.url == url


def test_every_mistake_of_both_files_is_told_at_once(write) -> None:
    told = problems(
        write(
            '[http]\npublic = "8080"\nmax_body = "big"\n[htttp]\n',
            CHANNEL + 'window = 0\nratee = 5\n[[route]]\nmatch = "MY"\nchannels = ["nroth-a"]',
        )
    )
    assert "http.max_body: must be a whole number, not 'big'" in told
    assert "htttp: unknown key; did you mean http?" in told


def test_the_networks_mistakes_come_with_those_of_the_settings(write) -> None:
    told = problems(
        write(
            '[http]\npublic = "8080"', CHANNEL + 'window = 0\n[[route]]\nmatch = "MY"\nchannels = ["nroth-a"]'
        )
    )
    assert "http.public: must be host:port, not '8080'" in told
    assert "carrier 'north'.channel 'north-a'.window: must be 1 or more, not 0" in told
    assert "route 'route-1'.channels: there is no channel 'nroth-a'; did you mean north-a?" in told


def test_an_unknown_key_is_named_with_its_neighbour(write) -> None:
    assert "channel 'north-a'.systemid: unknown key; did you mean system_id?" in problems(
        write(network=CHANNEL + 'systemid = "x"')
    )


def test_a_missing_key_and_a_missing_file_are_named(write, tmp_path: Path) -> None:
    assert "carrier 'north'.channel[0].host: is required" in problems(
        write(network='[[carrier]]\nid = "north"\n[[carrier.channel]]\nport = 1')
    )
    assert f"{tmp_path / 'absent.toml'}: cannot be read: No such file" in problems(tmp_path / "absent.toml")


def test_what_is_not_toml_says_where(write) -> None:
    assert "is not TOML" in problems(write("[http\n"))
    assert "line 1" in problems(write("[http\n"))


def test_the_environment_overrides_the_file(write) -> None:
    environ = {
        "SCLOUD_HTTP_PUBLIC": "0.0.0.0:80",
        "SCLOUD_HTTP_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "SCLOUD_DELIVERY_MAX_ATTEMPTS": "3",
        "SCLOUD_DELIVERY_VALIDITY": "verification=300",
        "SCLOUD_CALLBACKS_ALLOW_PRIVATE": "true",
        "SCLOUD_CALLBACKS_TIMEOUT": "2",
        "SCLOUD_PUBLIC_KEY": "not a setting",
    }
    settings, _ = load(write('[http]\npublic = "127.0.0.1:1"\nadmin = "127.0.0.1:2"'), environ)
    assert settings.http.public == "0.0.0.0:80"
    assert settings.http.admin == "127.0.0.1:2"
    assert settings.http.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.delivery.max_attempts == 3
    assert settings.delivery.validity["verification"] == 300.0
    assert settings.callbacks.allow_private is True
    assert settings.callbacks.timeout == 2.0


def test_a_misspelt_or_unfitting_variable_is_an_error(write) -> None:
    told = problems(write(), {"SCLOUD_HTTP_PUBLICK": "x", "SCLOUD_DELIVERY_MAX_ATTEMPTS": "many"})
    assert "SCLOUD_HTTP_PUBLICK: there is no such setting; did you mean SCLOUD_HTTP_PUBLIC?" in told
    assert "delivery.max_attempts: must be a whole number, not 'many'" in told


def test_a_secret_can_live_in_a_file_of_its_own(write, tmp_path: Path) -> None:
    (tmp_path / "smsc.secret").write_text("hunter2\n")
    _, network = load(write(network=CHANNEL + 'password = "file:smsc.secret"'), {})
    assert network.channels["north-a"].password == "hunter2"
    assert "hunter2" not in problems(write(network=CHANNEL + 'password = "file:smsc.secret"\nwindow = 0'))


def test_a_secrets_file_that_is_missing_or_empty_is_an_error(write, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    assert "cannot read the secret's file" in problems(write(network=CHANNEL + 'password = "file:absent"'))
    assert "is empty" in problems(write(network=CHANNEL + 'password = "file:empty"'))


def test_a_secret_that_is_no_text_is_not_repeated_either(write) -> None:
    assert problems(write(network=CHANNEL + "password = 12345678")).endswith(
        "password: must be a text in quotes"
    )
    assert "12345678" not in problems(write(settings="[store]\nurl = 12345678"))


def test_a_password_is_not_repeated_in_an_error(write) -> None:
    assert "correct-horse-battery" not in problems(
        write(network=CHANNEL + 'password = "correct-horse-battery"')
    )


def test_a_purpose_table_with_one_line_keeps_the_other_defaults(write) -> None:
    settings, _ = load(write("[delivery.validity]\nverification = 60"), {})
    assert settings.delivery.validity == {"verification": 60, "notification": 172_800, "promotion": 172_800}


@pytest.mark.parametrize(
    ("written", "match"),
    [
        ('"*"', MatchConfig()),
        ('"60"', MatchConfig(prefixes=("60",))),
        ('"+60*"', MatchConfig(prefixes=("60",))),
        ('"MY"', MatchConfig(countries=("MY",))),
        ('"my"', MatchConfig(countries=("MY",))),
        ('"Promotion"', MatchConfig(purposes=("promotion",))),
        ('"acc-01hq"', MatchConfig(accounts=("acc-01hq",))),
        ('"account:x1"', MatchConfig(accounts=("x1",))),
        ('["MY", "SG", "verification"]', MatchConfig(countries=("MY", "SG"), purposes=("verification",))),
        ('{ prefixes = ["+1212"], countries = "us" }', MatchConfig(prefixes=("1212",), countries=("US",))),
        (
            '{ purpose = "promotion", account = ["a", "b"] }',
            MatchConfig(purposes=("promotion",), accounts=("a", "b")),
        ),
        ("{}", MatchConfig()),
    ],
)
def test_a_match_can_be_written_short_or_long(write, written: str, match: MatchConfig) -> None:
    _, network = load(write(network=f'{CHANNEL}[[route]]\nmatch = {written}\nchannels = ["north-a"]'), {})
    assert network.route[0].match == match
    assert network.route[0].id == "route-1"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('"promotoin"', "'promotoin' is no prefix, country, purpose or account; did you mean promotion?"),
        ('["*", "MY"]', '"*" matches everything and stands alone'),
        ('["60", "SG"]', "prefixes and countries in one list"),
        ("[]", 'must be "*"'),
        ("60", 'must be "*"'),
        ("[60]", "must be texts, not 60"),
        ("{ countrys = 'MY' }", "countrys: unknown key; did you mean countries?"),
        ("{ countries = ['Malaysia'] }", "'Malaysia' is no ISO 3166 region"),
        ("{ prefixes = 60 }", "must be a text or a list of texts"),
        ('"planet:mars"', "unknown condition in 'planet:mars'"),
    ],
)
def test_a_match_that_makes_no_sense_is_an_error(write, written: str, told: str) -> None:
    assert told in problems(write(network=f'{CHANNEL}[[route]]\nmatch = {written}\nchannels = ["north-a"]'))


def test_tls_is_a_word_or_a_table(write, tmp_path: Path) -> None:
    assert load_network_of(write, "tls = true").tls == TlsConfig(enabled=True)
    assert load_network_of(write, "tls = false").tls == TlsConfig()
    table = load_network_of(write, '[carrier.channel.tls]\nca_file = "ca.pem"')
    assert table.tls == TlsConfig(enabled=True, ca_file=str(tmp_path / "ca.pem"))
    assert "tls: must be true, false or a table" in problems(write(network=CHANNEL + 'tls = "yes"'))


def load_network_of(write, line: str) -> Any:
    return load(write(network=f"{CHANNEL}{line}\n"), {})[1].channels["north-a"]


def test_words_of_a_closed_list_are_read_and_checked(write) -> None:
    assert load_network_of(write, 'bind = "pair"').bind is BindMode.PAIR
    assert load_network_of(write, 'bind = "tx+rx"').bind is BindMode.PAIR
    assert load_network_of(write, 'in_doubt = { promotion = "fail" }').in_doubt == {
        "promotion": InDoubtPolicy.FAIL
    }
    assert "bind: must be one of transceiver, pair; not 'both'" in problems(
        write(network=CHANNEL + 'bind = "both"')
    )


def test_ids_are_unique_over_all_carriers(write) -> None:
    told = problems(write(network=CHANNEL + CHANNEL))
    assert "carrier 'north': given more than once" in told
    assert "channel 'north-a': given more than once" in told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('[store]\nurl = "mysql://x"', "store.url: must begin with"),
        ('[store]\nurl = "sqlite://"', "store.url: must name a file"),
        ("[store]\npurge_after_days = 5", "purge_after_days: must not be shorter"),
        ('[[price]]\namount = "0,045"', "price[0].amount: must be a decimal text"),
        ('[[price]]\namount = "-1"', "price[0].amount: must be 0 to"),
        ('[[price]]\namount = "1"\n[[price]]\namount = "2"', "price (* *): given more than once"),
        ('[[price]]\namount = "1"\npurpose = "otp"', "price[0].purpose: must be one of *, verification"),
        (
            '[delivery.in_doubt]\npromotion = "retry"',
            "delivery.in_doubt.promotion: must be one of resend, wait, fail",
        ),
        ("[delivery.validity]\notp = 5.0", "'otp' is no purpose"),
        ('[api]\ndefault_country = "86"', "api.default_country: must be an ISO 3166 region"),
        ('[api]\ntime_zone = "Asia/Atlantis"', "api.time_zone: must be a time zone such as Asia/Shanghai"),
        ('[api]\ntime_zone = "Asia"', "api.time_zone: must be a time zone such as Asia/Shanghai"),
        ('[api]\ntime_zone = ""', "api.time_zone: must be a time zone such as Asia/Shanghai"),
        ("[callbacks]\nslow_schedule = []", "callbacks.slow_schedule: must hold delays"),
        ("[callbacks]\ntimeout = inf", "callbacks.timeout: must be 0.01 or more"),
        ('[log]\nlevel = "loud"', "log.level: must be one of debug"),
        ('[http]\ntrusted_proxies = ["proxy"]', "'proxy' is no address or network"),
        ("http = 5", "http: must be a table"),
    ],
)
def test_a_value_that_cannot_be_meant_is_an_error(write, settings: str, told: str) -> None:
    assert told in problems(write(settings))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('password = "ninechars"', "password: must be at most 8 ASCII characters"),
        ("links = 0", "links: must be 1 or more"),
        ("rate = -1", "rate: must be 0 or more"),
        ("window = 2.5", "window: must be a whole number"),
        ("receipts = 1", "receipts: must be true or false"),
        ("source_ton = 300", "source_ton: must be 0 to 255"),
        ('statuses = { OOPS = "route" }', "'OOPS' is no command_status"),
        ('statuses = { 0x58 = "slow" }', "statuses.0x58: must be one of ok, throttle"),
        ('receipt_aliases = { FAILED = "bad" }', "receipt_aliases.FAILED: must be one of delivered"),
        ("purposes = []", "purposes: must name at least one"),
        ("timers = { response = 0 }", "timers.response: must be 0.01 or more"),
        ('tls = { key_file = "k" }', "tls.key_file: needs cert_file"),
    ],
)
def test_a_channel_that_cannot_work_is_an_error(write, line: str, told: str) -> None:
    assert told in problems(write(network=f"{CHANNEL}{line}\n"))


DLT = """[[carrier.channel.tlv]]
tag = 0x1400
kind = "cstring"
"""


def test_t74_a_channel_may_want_tlvs_of_its_own(write) -> None:
    by_name = 'value = "1101"\ntemplates = { UTA1 = "1107" }\naccounts = { acc-a = "1102" }'
    (tlv,) = load_network_of(write, f"{DLT}{by_name}").tlv
    assert tlv == TlvConfig(
        tag=0x1400, kind=TlvKind.CSTRING, value="1101", templates={"UTA1": "1107"}, accounts={"acc-a": "1102"}
    )


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (DLT, "tlv 0x1400: needs a value, templates or accounts"),
        (DLT + 'value = "a\\u0000b"', "tlv 0x1400.value: 'a\\x00b' is no cstring"),
        (DLT + 'templates = { UTA1 = "短信" }', "tlv 0x1400.templates.UTA1: '短信' is no cstring"),
        (DLT + "value = 7", "value: must be a text in quotes, not 7"),
        (DLT.replace("cstring", "string") + 'value = "1"', "kind: must be one of octet, short"),
        (DLT.replace("0x1400", "0x0424") + 'value = "1"', "tlv 0x0424: carries or joins the text"),
        (DLT.replace("0x1400", "0x10000") + 'value = "1"', "tlv 0x10000: a tag has 16 bits"),
        ((DLT + 'value = "1"\n') * 2, "tlv '0x1400': given more than once"),
    ],
)
def test_t74_a_tlv_that_cannot_be_sent_is_an_error(write, table: str, told: str) -> None:
    assert told in problems(write(network=f"{CHANNEL}{table}\n"))


def test_a_route_to_channels_that_may_not_carry_its_purpose_is_an_error(write) -> None:
    route = '[[route]]\nmatch = "promotion"\nchannels = ["north-a"]'
    assert "none of its channels may carry promotion" in problems(
        write(network=f'{CHANNEL}purposes = ["verification"]\n{route}')
    )


def test_settings_and_network_can_be_loaded_alone(write) -> None:
    path = write("[http]\nmax_pending = 5")
    assert load_settings(path, {}).http.max_pending == 5
    assert list(load_network(path.with_name("network.toml")).channels) == ["north-a"]
    with pytest.raises(ConfigError):
        load_settings(write("[http]\nmax_pending = 0"), {})
    with pytest.raises(ConfigError):
        load_network(write(network=CHANNEL + "port = 1").with_name("network.toml"))


def test_the_shipped_files_load() -> None:
    settings, network = load(SHIPPED / "gateway.toml", {})
    assert settings.price
    assert network.route[0].channels == tuple(network.channels)


def keys_of(cls: type) -> set[str]:
    """Every key of a schema class and of the classes inside it."""
    found: set[str] = set()
    hints = get_type_hints(cls)
    for field in fields(cls):  # type: ignore[arg-type]
        inner = [kind for kind in (hints[field.name], *get_args(hints[field.name])) if is_dataclass(kind)]
        found.add(field.name)
        for kind in inner:
            found |= keys_of(kind)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("file", "cls", "filled_in"), [("gateway.toml", Settings, set()), ("network.toml", Network, {"carrier"})]
)
def test_the_shipped_files_show_every_key(file: str, cls: type, filled_in: set[str]) -> None:
    text = (SHIPPED / file).read_text(encoding="utf-8")
    shown = set(re.findall(r"^[# ]*(\w+) =", text, re.MULTILINE)) | set(re.findall(r"(\w+) = ", text))
    for section in re.findall(r"\[([\w.]+)\]", text):
        shown |= set(section.split("."))
    assert keys_of(cls) - filled_in <= shown


def test_the_shipped_settings_say_the_defaults() -> None:
    """Uncommenting every line of the settings changes nothing but the prices."""
    text = (SHIPPED / "gateway.toml").read_text(encoding="utf-8")
    lines = (re.sub(r"^# (\w+ = )", r"\1", line) for line in text.partition("[[price]]")[0].splitlines())
    document = tomllib.loads("\n".join(lines))
    for section, values in document.items():
        defaults = getattr(Settings(), section)
        for key, value in values.items():
            default = getattr(defaults, key)
            assert (tuple(value) if isinstance(value, list) else value) == default, f"{section}.{key}"
