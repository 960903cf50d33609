"""The SMPP timers, by numbers."""

from carriers.smpp.timers import Timer, Timers
from config.schema import TimerConfig

CONFIG = TimerConfig(response=10.0, enquire_link=30.0, read=20.0)


def test_t35_silence_is_asked_about_after_the_enquire_link_time() -> None:
    timers = Timers(CONFIG, now=100.0)
    assert timers.next_deadline() == 130.0
    assert timers.due(129.9) == []
    assert timers.due(130.0) == [Timer.PROBE]


def test_t35_any_pdu_begins_the_silence_anew() -> None:
    timers = Timers(CONFIG, now=100.0)
    timers.heard(125.0)
    assert timers.next_deadline() == 155.0


def test_t37_after_a_probe_the_response_time_counts() -> None:
    timers = Timers(CONFIG, now=100.0)
    timers.probed(130.0)
    assert timers.due(139.9) == []
    assert timers.due(140.0) == [Timer.SILENCE]
    timers.heard(139.0)
    assert timers.due(140.0) == []


def test_t11_a_pdu_begun_has_its_own_time_from_its_first_octet() -> None:
    timers = Timers(CONFIG, now=100.0)
    timers.reading(partial=True, now=101.0)
    timers.reading(partial=True, now=115.0)
    assert timers.due(121.0) == [Timer.READ]
    timers.reading(partial=False, now=121.0)
    assert timers.due(121.0) == []


def test_a_pdu_that_ends_begins_the_next_ones_time() -> None:
    timers = Timers(CONFIG, now=100.0)
    timers.reading(partial=True, now=101.0)
    timers.heard(110.0)
    timers.reading(partial=True, now=110.0)
    assert timers.due(121.0) == []
    assert timers.due(130.0) == [Timer.READ]


def test_while_binding_or_unbinding_there_is_no_probe() -> None:
    timers = Timers(CONFIG, now=100.0)
    timers.begin_phase(5.0, now=100.0)
    assert timers.due(200.0) == [Timer.PHASE]
    timers.end_phase(now=104.0)
    assert timers.next_deadline() == 134.0


def test_t39_only_differences_of_time_matter() -> None:
    for epoch in (0.0, -3600.0, 1e9):
        timers = Timers(CONFIG, now=epoch)
        timers.probed(epoch + 30.0)
        assert timers.due(epoch + 39.0) == []
        assert timers.due(epoch + 40.0) == [Timer.SILENCE]
