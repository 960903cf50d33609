"""When to try again: exponential back-off, time and chance passed in."""


def backoff(attempts: int, base: float, cap: float, chance: float) -> float:
    """Return seconds to wait after the `attempts`-th temporary refusal (1…).

    Doubles from `base` up to `cap`; `chance` in [0, 1) spreads it over the upper half, so that what was
    refused together does not come back together.
    """
    full = min(cap, base * 2.0 ** min(attempts - 1, 32))
    return full * (0.5 + chance / 2)
