"""Every setting, its type, its default and what it is for. Loading and checking: `config.load`.

Durations are seconds, rates are segments a second, money is a decimal string in the account's currency,
sizes are bytes unless the name says otherwise.
"""

from dataclasses import dataclass, field
from enum import StrEnum

PURPOSES = ("verification", "notification", "promotion")


class BindMode(StrEnum):
    """How a link binds: one two-way session, or a transmitter and a receiver session side by side."""

    TRANSCEIVER = "transceiver"
    PAIR = "pair"


class Concatenation(StrEnum):
    """How a text longer than one segment travels."""

    UDH8 = "udh8"  # user data header with an 8-bit reference: 153 / 67 characters a part
    UDH16 = "udh16"  # 16-bit reference: 152 / 66 characters a part
    SAR = "sar"  # sar_msg_ref_num, sar_total_segments, sar_segment_seqnum TLVs
    PAYLOAD = "payload"  # one submit_sm with the whole text in a message_payload TLV


class TlvKind(StrEnum):
    """How the value of a TLV is written (SMPP 3.4 §3.2.2)."""

    OCTET = "octet"  # integers of one, two and four octets
    SHORT = "short"
    LONG = "long"
    CSTRING = "cstring"  # text with a NUL at its end
    OCTETS = "octets"  # given in hexadecimal
    TEXT = "text"  # text without NUL
    FLAG = "flag"  # no value: being there says it


class InDoubtPolicy(StrEnum):
    """What becomes of a segment that was sent and never answered."""

    RESEND = "resend"  # send again: nothing is lost, a duplicate is possible
    WAIT = "wait"  # wait for a receipt until the receipt deadline, then `unknown`
    FAIL = "fail"  # give up at once: never a duplicate, the customer is told `unknown`


class ReceiptIdForm(StrEnum):
    """How the message id in a receipt relates to the one in the answer."""

    AUTO = "auto"  # equal ignoring case and leading zeros, else learn hex/decimal from what matches
    SAME = "same"  # equal ignoring case and leading zeros
    ANSWER_HEX = "answer-hex"  # answer in hexadecimal, receipt in decimal
    ANSWER_DECIMAL = "answer-decimal"  # answer in decimal, receipt in hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """`[http]`: the two listeners."""

    public: str = "127.0.0.1:8080"  # customers' listener, host:port
    admin: str = "127.0.0.1:8081"  # operators' listener: admin API, metrics, health; keep it on loopback
    max_body: int = 13 * 1024 * 1024  # a larger body is answered with HTTP 413
    max_bodies: int = 256 * 1024 * 1024  # of bodies above 64 KiB held at once; beyond it RetCode 153
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-For is believed
    max_pending: int = 20_000  # messages waiting for their commit; beyond it new requests get RetCode 153


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`[store]`: where everything durable lives."""

    url: str = (
        "sqlite:///gateway.db"  # beside the settings file; or postgresql+psycopg://user:password@host/db
    )
    max_batch: int = 4_000  # rows in one commit at most
    redact_after_days: int = 30  # texts and numbers of finished messages are blanked after this many days
    purge_after_days: int = 180  # rows of finished messages are deleted after this many days
    retention_interval: float = 3600.0  # how often the retention job looks


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """`[network]`: carriers, channels and routes live in a file of their own."""

    file: str = "network.toml"  # relative to the settings file


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySettings:
    """`[security]`: the key that protects the keys."""

    master_key_file: str = "master.key"  # relative to the settings file; mode 0600; 32 random bytes, base64


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """`[admin]`: operators' log-ins."""

    session_idle: float = 1_800.0  # a session that nobody uses ends after this long
    session_max: float = 43_200.0  # every session ends this long after its log-in
    lockout_failures: int = 5  # failed log-ins of a name from one address before it has to wait there
    lockout_address_failures: int = 20  # the same of one client address, whatever the names
    lockout_period: float = 900.0  # how long they have to wait, and how long a failure counts
    lockout_name_failures: int = 100  # of a name from anywhere, before strangers to it are slowed down
    lockout_name_pause: float = 10.0  # between two of their log-ins then
    token_max_days: int = 365  # longest life of an API token


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """`[api]`: the customer API."""

    default_country: str = "CN"  # ISO 3166 region of numbers written without a country code
    time_zone: str = "Asia/Shanghai"  # whose days the statistics count; a change counts from then on
    dedup_window: float = 60.0  # the same signed request within this time gets the first answer again
    requests_per_second: float = 0.0  # per API key, 0 = no limit; beyond it RetCode 153
    receipt_language: str = "en"  # of ReceiptResult and ReceiptDesc for accounts without their own: en | zh


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSettings:
    """`[[price]]`: one segment's price; the most specific line wins."""

    amount: str  # decimal, for instance "0.045"
    purpose: str = "*"  # verification | notification | promotion | *
    country: str = "*"  # ISO 3166 region, or *


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """`[delivery]`: what happens between accept and the final state."""

    currency: str = "CNY"  # of balances and prices
    validity: dict[str, float] = field(  # seconds from accept until a message not yet submitted expires
        default_factory=lambda: {"verification": 86_400.0, "notification": 172_800.0, "promotion": 172_800.0}
    )
    max_attempts: int = 8  # temporary refusals of one message before it fails; throttling does not count
    retry_base: float = 2.0  # first back-off after a temporary refusal; doubles each time
    retry_cap: float = 300.0  # longest back-off
    receipt_deadline: float = 259_200.0  # no receipt after this long: the message becomes `unknown`
    in_doubt: dict[str, str] = field(  # by purpose; a channel may override
        default_factory=lambda: {"verification": "resend", "notification": "resend", "promotion": "resend"}
    )
    memory_window: int = 5_000  # messages a queue lane keeps in memory; the rest waits in the store
    shutdown_limit: float = 20.0  # seconds SIGTERM may take to drain before links are closed


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSettings:
    """`[callbacks]`: status reports to the customer's URL."""

    allow_private: bool = False  # allow private, loopback and link-local targets (tests, on-premises)
    timeout: float = 5.0  # one POST, connection included
    batch: int = 100  # reports in one POST
    burst_retries: int = 3  # quick re-pushes, `burst_interval` apart
    burst_interval: float = 1.0
    slow_schedule: tuple[float, ...] = (
        5.0,
        15.0,
        60.0,
        300.0,
        900.0,
        3600.0,
    )  # after the burst; last repeats
    give_up_after: float = 86_400.0  # a report older than this is given up, visibly
    connections: int = 4  # concurrent POSTs to one endpoint's host at most


class RiskRule(StrEnum):
    """What is checked before a message is taken; the order in which the first to object wins."""

    BLACKLIST = "blacklist"  # the number is on the blacklist
    OPTOUT = "optout"  # its owner asked for no more
    TEMPLATE_RATE = "template_rate"
    VERIFICATION_RATE = "verification_rate"
    VERIFICATION_DAY = "verification_day"
    CONTENT_RATE = "content_rate"
    CONTENT_DAY = "content_day"
    HOURS = "hours"
    VARIABLES = "variables"
    CONTENT = "content"


class RiskMode(StrEnum):
    """How a rule runs."""

    ON = "on"
    MONITOR = "monitor"  # it notes what it would have done, and does nothing
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSettings:
    """`[risk]`: what keeps recipients from harm; an account's own settings (`risk set`) come before these."""

    mode: RiskMode = RiskMode.ON  # of every rule that `modes` does not name
    modes: dict[str, str] = field(default_factory=dict)  # rule → on | monitor | off
    template_rate: str = "1/30s"  # messages to one number by one verification template
    verification_rate: str = "3/1h"  # verification messages to one number
    verification_day: str = "10/24h"  # the same, over a longer time
    content_rate: str = "1/1m"  # messages with the same text to one number
    content_day: str = "10/24h"  # the same, over a longer time
    hours: str = "08:00-20:00 hold"  # promotion, by the recipient's clock; outside: hold | refuse
    variables: int = 7  # characters of a verification variable at most: letters and digits
    words: str = ""  # file of blocked words, relative to the settings file; read again when it changes
    history: int = 1_000_000  # messages remembered for the rates, as many again for verification


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSettings:
    """`[inbound]`: what handsets send."""

    timeout: float = (
        60.0  # the parts of a long message may take so long; then what came is delivered, flagged
    )
    max_waiting: int = 20_000  # parts kept in memory; beyond it the oldest message is delivered as it is
    recall_days: int = 7  # whose was the last message to that handset: remembered so long, 0 = not at all
    opt_out: dict[str, tuple[str, ...]] = field(  # by language; a whole message that says one of them
        default_factory=lambda: {
            "en": (
                "STOP",
                "STOPALL",
                "STOP ALL",
                "UNSUBSCRIBE",
                "CANCEL",
                "END",
                "QUIT",
                "OPTOUT",
                "OPT OUT",
            ),
            "zh": ("R", "T", "TD", "N", "退订", "退訂", "拒收", "取消订阅", "取消訂閱"),
            "de": ("STOPP", "ABMELDEN"),
            "es": ("BAJA", "CANCELAR"),
            "fr": ("ARRET", "ARRÊT", "DESABONNER", "DÉSABONNER"),
            "id": ("BERHENTI",),
            "it": ("CANCELLA",),
            "ja": ("停止", "配信停止", "解除"),
            "ko": ("수신거부",),
            "ms": ("BATAL",),
            "pt": ("SAIR", "PARAR"),
            "ru": ("СТОП", "ОТПИСАТЬСЯ"),
            "th": ("ยกเลิก",),
            "tr": ("RET", "İPTAL"),
            "vi": ("HUY", "HỦY"),
        }
    )
    opt_in: dict[str, tuple[str, ...]] = field(  # by language; takes back what the handset itself asked for
        default_factory=lambda: {
            "en": ("START", "UNSTOP", "SUBSCRIBE", "OPT IN"),
            "zh": ("恢复", "恢復", "恢复订阅", "恢復訂閱", "订阅", "訂閱"),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """`[review]`: the automatic checks of signatures, templates and qualifications."""

    rules: str = ""  # the rule file, relative to the settings file; empty: the shipped one


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`[files]`: what customers upload for the review."""

    directory: str = "files"  # relative to the settings file; belongs to the database: back both up
    quota: int = 256 * 1024 * 1024  # bytes of one account's files at most
    unused_days: int = 7  # a file that nothing names is deleted after this many days
    link_seconds: int = 600  # how long the links of QueryUSMSSignatureQualification work
    link_base: str = ""  # what they begin with: https://sms.example.com; empty: a path on the API's host


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """`[log]`: structured logs on standard error."""

    level: str = "info"  # debug | info | warning | error
    format: str = "json"  # json | console


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole settings file (`gateway.toml`)."""

    http: HttpSettings = field(default_factory=HttpSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    security: SecuritySettings = field(default_factory=SecuritySettings)
    admin: AdminSettings = field(default_factory=AdminSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    callbacks: CallbackSettings = field(default_factory=CallbackSettings)
    inbound: InboundSettings = field(default_factory=InboundSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    files: FileSettings = field(default_factory=FileSettings)
    risk: RiskSettings = field(default_factory=RiskSettings)
    log: LogSettings = field(default_factory=LogSettings)
    price: tuple[PriceSettings, ...] = (  # any line in the file replaces all of these
        PriceSettings(amount="0.050", purpose="verification"),
        PriceSettings(amount="0.050", purpose="notification"),
        PriceSettings(amount="0.055", purpose="promotion"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """`tls` of a channel: `true`, or a table with these keys."""

    enabled: bool = False
    verify: bool = True  # certificate chain and host name
    ca_file: str | None = None  # instead of the system's authorities
    cert_file: str | None = None  # client certificate, PEM
    key_file: str | None = None
    server_name: str | None = None  # expected name when it differs from `host`


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerConfig:
    """`timers` of a channel."""

    connect: float = 10.0  # TCP and TLS handshake
    bind: float = 10.0  # bind request to its answer
    response: float = 10.0  # any other request to its answer
    enquire_link: float = 30.0  # silence before we ask
    read: float = 30.0  # a PDU begun and not finished
    unbind: float = 5.0  # unbind to its answer
    backoff_base: float = 1.0  # first reconnect delay; doubles with jitter
    backoff_cap: float = 60.0
    backoff_credentials: float = 60.0  # after a bind refused for its credentials
    stable_after: float = 30.0  # bound this long: back-off starts over


@dataclass(frozen=True, slots=True, kw_only=True)
class TlvConfig:
    """`[[carrier.channel.tlv]]`: a TLV the carrier wants with every message, for instance a registered id."""

    tag: int  # 0x1400 to 0x3FFF are the vendors'; not those that carry or join the text
    kind: TlvKind
    value: str | None = None  # in quotes, numbers too; without it only those named below have the TLV
    templates: dict[str, str] = field(default_factory=dict)  # template id → its value, before all others
    accounts: dict[str, str] = field(default_factory=dict)  # account id → its value


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """`[[carrier.channel]]`: one commercial route into a carrier."""

    id: str
    host: str
    port: int
    system_id: str
    password: str = ""
    carrier: str = ""  # the carrier's id; filled in by the loader
    system_type: str = ""
    tls: TlsConfig = field(default_factory=TlsConfig)
    bind: BindMode = BindMode.TRANSCEIVER
    links: int = 1  # TCP connections (pairs count as one link)
    window: int = 10  # unanswered submit_sm per link
    rate: float = 0.0  # segments a second over all links, 0 = no limit
    receipts: bool = True  # ask for delivery receipts
    source: str = ""  # sender address; digits, or up to 11 characters of text
    source_ton: int | None = None  # None: 5 for text, 1 for 7+ digits, 0 for shorter or empty
    source_npi: int | None = None
    dest_ton: int = 1
    dest_npi: int = 1
    service_type: str = ""
    country: str = ""  # whose national numbers handsets have there: ISO 3166 region or calling code
    default_alphabet: str = "gsm"  # what data_coding 0 means there: gsm | gsm-packed | ascii | latin1
    utf16_little_endian: bool = False  # what handsets send in UTF-16 comes the wrong way round
    concatenation: Concatenation = Concatenation.UDH8
    receipt_id_form: ReceiptIdForm = ReceiptIdForm.AUTO
    receipts_without_esm_class: bool = False  # a deliver_sm whose text looks like a receipt is one
    receipt_aliases: dict[str, str] = field(default_factory=dict)  # carrier's stat word → standard one
    receipt_deadline: float | None = None  # None: `[delivery] receipt_deadline`
    in_doubt: dict[str, InDoubtPolicy] = field(default_factory=dict)  # by purpose; else `[delivery] in_doubt`
    statuses: dict[str, str] = field(default_factory=dict)  # command_status (name or 0x…) → disposition
    purposes: tuple[str, ...] = PURPOSES  # what the contract allows
    max_pdu: int = 70_000  # longest PDU accepted from the peer
    tlv: tuple[TlvConfig, ...] = ()  # what goes with every submit_sm; a peer below SMPP 3.4 gets none
    timers: TimerConfig = field(default_factory=TimerConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierConfig:
    """`[[carrier]]`: the company we buy from."""

    id: str
    channel: tuple[ChannelConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchConfig:
    """`match` of a route: every given condition must hold; an empty one always does.

    In the file: "*" (everything), a number prefix ("60", "+60*"), an ISO region ("MY"), a purpose
    ("verification"), a list of such words, or a table with these keys.
    """

    prefixes: tuple[str, ...] = ()  # E.164 digits without +
    countries: tuple[str, ...] = ()  # ISO 3166 regions
    purposes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteConfig:
    """`[[route]]`: first match in file order wins; channels in order of preference."""

    match: MatchConfig = field(default_factory=MatchConfig)
    channels: tuple[str, ...] = ()
    id: str = ""  # for explanations; filled in by position when absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The whole network file: carriers, channels and routes, checked as one document."""

    carrier: tuple[CarrierConfig, ...] = ()
    route: tuple[RouteConfig, ...] = ()

    @property
    def channels(self) -> dict[str, ChannelConfig]:
        """Every channel by its id."""
        return {channel.id: channel for carrier in self.carrier for channel in carrier.channel}
