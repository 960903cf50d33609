"""Balances in memory, so that accept can say yes or no without asking the store."""

from gateway.errors import GatewayError


class InsufficientFunds(GatewayError):
    """The balance does not cover the whole request; nothing was accepted."""


class Funds:
    """What each account can spend now: committed ledger rows, less what is on its way into the journal."""

    def __init__(self, available: dict[str, int], last_seq: int) -> None:
        """Start from the store's balances (micro-units); `last_seq` is the newest ledger row they include."""
        self._available = available
        self.last_seq = last_seq

    def available(self, account_id: str) -> int:
        """Return what `account_id` can spend, micro-units."""
        return self._available.get(account_id, 0)

    def reserve(self, account_id: str, amount: int) -> None:
        """Set `amount` aside; raises `InsufficientFunds` and changes nothing when it is not there."""
        left = self._available.get(account_id, 0) - amount
        if left < 0 < amount:
            raise InsufficientFunds(f"balance is short by {-left} micro-units")
        self._available[account_id] = left

    def add(self, account_id: str, amount: int) -> None:
        """Give `amount` back, or credit it."""
        self._available[account_id] = self._available.get(account_id, 0) + amount
