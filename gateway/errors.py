"""The gateway's own errors. Each says what was not done and whether trying again can help."""


class GatewayError(Exception):
    """Root of everything the gateway raises on purpose."""


class StoreUnavailable(GatewayError):
    """The store could not commit (disk full, database gone, lock held too long); nothing was changed."""


class Overloaded(GatewayError):
    """Too much is waiting for its commit already; nothing was changed, try again shortly."""


class NotFound(GatewayError):
    """There is no such row, or it belongs to somebody else."""


class Conflict(GatewayError):
    """The request contradicts what exists; nothing was changed."""


class Invalid(GatewayError):
    """The request itself is wrong; the text says which part and why."""


class RowRefused(GatewayError):
    """The store refused a row (a key twice, a value out of range); nothing of its unit was changed."""


class Forbidden(GatewayError):
    """Whoever asks may not do this; nothing was changed."""
