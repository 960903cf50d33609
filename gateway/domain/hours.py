"""When promotion may be sent: by the clock of the recipient, wherever its number may be."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config.limits import Hours

_MINUTE = timedelta(minutes=1)
_TRIES = 8  # each one moves on to a later zone's morning; zones that share no minute are found out by then


def opens_at(now_ms: int, zones: Iterable[str], hours: Hours) -> int | None:
    """Return when `hours` are on in all of `zones`: 0 now, else unix ms of the next such minute.

    None: there is none in the next days, for the zones lie too far apart.
    """
    places = [ZoneInfo(zone) for zone in zones]
    moment = first = datetime.fromtimestamp(now_ms // 1000, UTC)
    for _ in range(_TRIES):
        later = max(_begin(moment, place, hours) for place in places)
        if later == moment:
            return 0 if moment is first else int(moment.timestamp()) * 1000
        moment = later
    return None


def _begin(moment: datetime, place: ZoneInfo, hours: Hours) -> datetime:
    """Return `moment` if the hours are on there then, else the moment they next begin there."""
    local = moment.astimezone(place)
    minute = local.hour * 60 + local.minute
    if hours.start <= minute < hours.end:
        return moment
    day = local.date() if minute < hours.start else local.date() + timedelta(days=1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=place)
    begin = midnight.replace(hour=hours.start // 60, minute=hours.start % 60).astimezone(UTC)
    # a clock put forward over the beginning leaves a moment that is not there: go on to one that is
    while begin <= moment or not hours.start <= _minute(begin, place) < hours.end:
        begin += _MINUTE
    return begin


def _minute(moment: datetime, place: ZoneInfo) -> int:
    local = moment.astimezone(place)
    return local.hour * 60 + local.minute
