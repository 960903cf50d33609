"""A channel's own TLVs: constant ones, and those that depend on template and account."""

from carriers.smpp.codec import encode
from carriers.smpp.pdu import SubmitSm
from carriers.smpp.submit import SubmitEncoder
from carriers.smpp.text import Part
from carriers.smpp.vendor import VaryingTlvs, constant_tlvs
from config.schema import TlvConfig, TlvKind
from tests.support.smpp import decode_one

FIRST, LAST = 0x1400, 0x3FFF  # the vendors' own (SMPP 3.4 §5.3.2)
ENTITY = TlvConfig(tag=FIRST, kind=TlvKind.CSTRING, value="1101")
TEMPLATE = TlvConfig(
    tag=LAST, kind=TlvKind.TEXT, value="other", templates={"UTA1": "one"}, accounts={"acc-a": "mine"}
)
NAMED_ONLY = TlvConfig(tag=0x1402, kind=TlvKind.OCTET, templates={"UTA1": "7"})


def told(tlvs: VaryingTlvs, template_id: str, account_id: str) -> tuple[tuple[int, bytes], ...]:
    own = tlvs.octets(template_id, account_id)
    return decode_one(SubmitEncoder(SubmitSm()).encode(1, "60123", Part(0, b"x"), own_tlvs=own)).tlvs


def test_t74_what_every_message_carries_is_constant() -> None:
    assert constant_tlvs([ENTITY, TEMPLATE, NAMED_ONLY]) == ((FIRST, b"1101\0"),)
    assert not VaryingTlvs([ENTITY])


def test_t74_the_templates_value_goes_before_the_accounts_and_that_before_the_rest() -> None:
    varying = VaryingTlvs([ENTITY, TEMPLATE])
    assert told(varying, "UTA1", "acc-a") == ((LAST, b"one"),)
    assert told(varying, "UTA2", "acc-a") == ((LAST, b"mine"),)
    assert told(varying, "UTA2", "acc-b") == ((LAST, b"other"),)


def test_t74_without_a_value_for_the_rest_only_those_named_have_it() -> None:
    varying = VaryingTlvs([NAMED_ONLY])
    assert told(varying, "UTA1", "acc-a") == ((0x1402, b"\7"),)
    assert told(varying, "UTA2", "acc-a") == ()


def test_t74_a_segments_own_tlvs_follow_the_channels() -> None:
    template = SubmitSm(tlvs=constant_tlvs([ENTITY]))
    own = VaryingTlvs([TEMPLATE]).octets("UTA1", "")
    fast = SubmitEncoder(template).encode(1, "60123", Part(0, b"x"), own_tlvs=own)
    whole = SubmitSm(
        tlvs=((FIRST, b"1101\0"), (LAST, b"one")), sequence=1, destination_addr="60123", short_message=b"x"
    )
    assert fast == encode(whole)
