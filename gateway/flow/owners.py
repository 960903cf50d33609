"""Tells whose a handset's message is, what it says and what it wishes: parts in, a row and a callback out."""

from collections.abc import Mapping, Sequence

import orjson
from phonenumbers import country_code_for_region

from carriers.smpp.userdata import Writing, decode, octets_of
from config.schema import ChannelConfig, Settings
from gateway.domain.account import Account, Directory
from gateway.domain.inbound import (
    Flag,
    Forwarding,
    MoMessage,
    Ownership,
    Wish,
    order_key,
    reply_item,
)
from gateway.domain.keywords import Keywords
from gateway.domain.numbers import NumberTable, Owner, handset
from gateway.domain.reassembly import Part, Whole
from gateway.live import Live
from gateway.store.changes import Row
from gateway.store.inbound import Contact, Facts, Finished
from routing.number import spell

_DAY_MS = 86_400_000


class Owners:
    """Knows the numbers, the words and the accounts."""

    def __init__(
        self, settings: Settings, channels: Mapping[str, ChannelConfig], directory: Live[Directory]
    ) -> None:
        inbound = settings.inbound
        self._channels = channels
        self._directory = directory
        self._keywords = Keywords(inbound.opt_out, inbound.opt_in)
        self._recall_ms = inbound.recall_days * _DAY_MS
        self._home = str(country_code_for_region(settings.api.default_country))
        self._numbers = NumberTable()
        self.version = -1  # of the numbers

    def read(self, whole: Whole, facts: Facts, now_ms: int) -> Finished:
        """Return `whole` as it is to be kept, with its callback if there is somebody to tell."""
        if facts.numbers is not None:
            self._numbers, self.version = facts.numbers, facts.version
        first = whole.first
        phone = first.source
        contacts = facts.contacts.get(phone, [])
        account_id, project_id, ownership, extend = self._owner(
            first.channel, first.destination, contacts, now_ms
        )
        told = next((one for one in contacts if one.account_id == account_id), None)
        text, data, coding, flags = self._contents(whole, first.channel)
        complete = not whole.completion.incomplete and Flag.REMAINDER not in flags
        account = self._account(account_id)
        message = MoMessage(
            id=whole.id,
            channel=first.channel,
            source=phone,
            destination=first.destination,
            text=text,
            data_hex=data,
            data_coding=coding,
            total=whole.total,
            missing=",".join(map(str, whole.missing)),
            completion=whole.completion,
            flags=flags,
            remainder_of=whole.remainder_of,
            received_at=first.received_at,
            completed_at=now_ms,
            account_id=account_id,
            project_id=project_id,
            ownership=ownership,
            extend_code=extend,
            message_id=told.message_id if told else None,
            wish=self._keywords.wish(text) if complete else Wish.NONE,
            phone_given=(told and told.phone_given) or self._spelled(first),
            user_id=told.user_id if told else None,
            forwarding=self._forwarding(account_id, account),
        )
        parts = [part.id for part in whole.parts.values()]
        return Finished(message, parts, whole.duplicates, self.callback(message, now_ms))

    def _spelled(self, part: Part) -> str:
        """Return the sender as the customer API writes numbers; of one nobody can place, what came."""
        return part.source if part.national else spell(part.source, self._home)

    def callback(self, message: MoMessage, now_ms: int) -> Row | None:
        """Return the `OUTBOX` row that tells the owner, None if there is nobody or nowhere to tell."""
        account = self._account(message.account_id)
        if account is None or not account.callback_url:
            return None
        payload = orjson.dumps(reply_item(message)).decode()
        key = order_key(message.source or "")
        return (message.id, account.id, key, payload, now_ms, now_ms, 0, None, None)

    def _account(self, account_id: str | None) -> Account | None:
        return self._directory.value.accounts.get(account_id) if account_id else None

    @staticmethod
    def _forwarding(account_id: str | None, account: Account | None) -> Forwarding:
        if account_id is None:
            return Forwarding.NONE
        return Forwarding.QUEUED if account and account.callback_url else Forwarding.NO_URL

    def _owner(
        self, channel: str, destination: str, contacts: Sequence[Contact], now_ms: int
    ) -> tuple[str | None, str | None, Ownership, str]:
        """Return account, project, why, and the extend code.

        A number's owner comes first; then whoever wrote to the handset last by that channel, which says more
        than a channel's owner.
        """
        found = self._numbers.owner(channel, destination)
        if found is not None and found.owned.number:
            return self._owned(found, Ownership.NUMBER)
        last = next((one for one in contacts if one.channel == channel), None)
        account = self._account(last.account_id) if last else None
        if last and account and now_ms - last.sent_at <= self._recall_ms:
            default = account.default_project
            project = last.project_id or (default.id if default else None)
            return account.id, project, Ownership.LAST_MESSAGE, self._behind_our_number(channel, destination)
        if found is not None:
            return self._owned(found, Ownership.CHANNEL)
        return None, None, Ownership.NOBODY, ""

    @staticmethod
    def _owned(found: Owner, why: Ownership) -> tuple[str, str, Ownership, str]:
        return found.owned.account_id, found.owned.project_id, why, found.extend_code

    def _behind_our_number(self, channel: str, destination: str) -> str:
        """Return what a handset wrote behind the number our messages come from."""
        config = self._channels.get(channel)
        ours = config.source if config is not None else ""
        digits = handset(destination)
        return digits[len(ours) :] if ours.isdigit() and digits.startswith(ours) else ""

    def _contents(self, whole: Whole, channel: str) -> tuple[str | None, str | None, int, Flag]:
        """Return text, or data in hexadecimal, the data_coding and what is odd about it."""
        config = self._channels.get(channel)
        writing = Writing(config.default_alphabet, config.utf16_little_endian) if config else Writing()
        parts = {number: part.data for number, part in whole.parts.items()}
        told = decode(parts, whole.total, writing)
        flags = Flag(0)
        for odd, flag in (
            (whole.conflict, Flag.CONFLICT),
            (any(part.bad_header for part in parts.values()), Flag.BAD_HEADER),
            (not told.exact, Flag.UNREADABLE),
            (told.text is None, Flag.BINARY),
            (whole.remainder_of is not None, Flag.REMAINDER),
            (whole.first.national, Flag.NATIONAL),
        ):
            flags |= flag if odd else Flag(0)
        data = octets_of(parts).hex() if told.text is None else None
        coding = next(iter(parts.values())).data_coding
        return told.text, data, coding, flags
