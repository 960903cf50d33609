"""The version of what runs: the installed distribution's."""

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "scloud-sms"


def _installed() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+checkout"


VERSION = _installed()
