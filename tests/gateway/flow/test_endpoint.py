"""One endpoint driven by hand: reports in, verdicts in, batches out. Time is a number here."""

from hypothesis import given
from hypothesis import strategies as st

from config.schema import CallbackSettings
from gateway.flow.batch import ID, Batch, retry_delay
from gateway.flow.endpoint import AGAIN, LINGER, MEMORY, PAGE, REFUSALS, UNRECORDED, Endpoint

SETTINGS = CallbackSettings(batch=3, connections=2, give_up_after=100.0)


def row(
    number: int, created_at: int = 0, message_id: int | None = None, attempts: int = 0
) -> tuple[object, ...]:
    message = number if message_id is None else message_id
    return (number, "acc", message, f'{{"n":{number}}}', created_at, created_at, attempts, None, None)


def rows(first: int, last: int) -> list[tuple[object, ...]]:
    return [row(number) for number in range(first, last + 1)]


def endpoint(settings: CallbackSettings = SETTINGS, *, spilled: bool = False) -> Endpoint:
    return Endpoint("acc", settings, spilled, "http://customer.example/")


def ids(batch: Batch | None) -> list[int]:
    return [] if batch is None else list(batch.ids())


def must(batch: Batch | None) -> Batch:
    assert batch is not None
    return batch


def test_the_schedule_is_a_quick_burst_then_slower_and_slower_and_stays_at_the_last_step() -> None:
    settings = CallbackSettings(slow_schedule=(5.0, 15.0, 60.0))
    assert [retry_delay(settings, failures) for failures in range(1, 9)] == [1, 1, 1, 5, 15, 60, 60, 60]


def test_a_full_batch_leaves_at_once_and_a_partial_one_after_it_has_lingered() -> None:
    e = endpoint()
    e.offer(rows(1, 4), now=10.0)
    assert ids(e.take(10.0)) == [1, 2, 3]
    assert e.take(10.0) is None
    assert e.next_due(10.0) == 10.0 + LINGER
    assert ids(e.take(10.0 + LINGER)) == [4]


def test_no_more_posts_at_once_than_the_setting_says() -> None:
    e = endpoint()
    e.offer(rows(1, 9), now=0.0)
    first, second = must(e.take(0.0)), must(e.take(0.0))
    assert e.take(0.0) is None
    assert e.next_due(0.0) is None, "only an answer can change anything"
    e.taken(second)
    assert ids(e.take(0.0)) == [7, 8, 9]
    assert ids(first) == [1, 2, 3]


def test_when_nobody_answers_the_whole_endpoint_waits_and_the_oldest_goes_first_again() -> None:
    e = endpoint()
    e.offer(rows(1, 9), now=0.0)
    first, second = must(e.take(0.0)), must(e.take(0.0))
    assert e.unreachable(second, 0.2, 0).delay == 1.0
    e.unreachable(first, 0.3, 0)
    assert e.failures == 1, "two POSTs that failed together are one failure of the endpoint"
    assert e.take(1.1) is None
    assert e.next_due(1.1) == 1.2
    assert ids(e.take(1.2)) == [1, 2, 3]
    assert e.take(1.2) is None, "a failing endpoint is tried with one POST at a time"


def test_an_endpoint_that_comes_back_gets_everything_in_order() -> None:
    e = endpoint()
    e.offer(rows(1, 7), now=0.0)
    e.unreachable(must(e.take(0.0)), 0.0, 0)
    probe = must(e.take(1.0))
    e.taken(probe)
    assert ids(probe) + ids(e.take(1.0)) + ids(e.take(1.0 + LINGER)) == [1, 2, 3, 4, 5, 6, 7]


def test_after_the_burst_a_dead_endpoint_holds_nothing_in_memory() -> None:
    e = endpoint()
    e.offer(rows(1, 9), now=0.0)
    now = 0.0
    for _ in range(SETTINGS.burst_retries + 1):
        e.unreachable(must(e.take(now)), now, 0)
        now = e.resume_at
    assert e.held() == 0
    assert e.spilled
    assert e.resume_at == 3.0 + SETTINGS.slow_schedule[0]
    assert not e.wants_page(now - 0.1)
    assert e.wants_page(now)
    assert e.begin_page() == 0, "the oldest first"


def test_a_refused_batch_is_put_off_alone() -> None:
    e = endpoint()
    e.offer(rows(1, 6), now=0.0)
    refused, other = must(e.take(0.0)), must(e.take(0.0))
    assert e.refused(refused, 0.0, 0).delay == 1.0
    e.taken(other)
    e.offer(rows(7, 9), now=0.5)
    assert ids(e.take(0.5)) == [7, 8, 9]
    assert ids(e.take(1.0)) == [1, 2, 3]


def test_a_batch_refused_through_the_burst_is_halved_until_the_bad_report_stands_alone() -> None:
    e = endpoint()
    e.offer(rows(1, 3), now=0.0)
    now, delivered = 0.0, []
    for _ in range(40):
        batch = e.take(now)
        if batch is None:
            due = e.next_due(now)
            assert due is not None
            now = max(now, due)
        elif 2 in batch.ids():
            e.refused(batch, now, 0)
        else:
            delivered += ids(batch)
            e.taken(batch)
    assert sorted(delivered) == [1, 3]
    assert [ids(batch) for batch in e.deferred] == [[2]]


def test_an_endpoint_that_refuses_everything_is_treated_as_down() -> None:
    e = endpoint(CallbackSettings(batch=1, connections=1))
    e.offer(rows(1, 9), now=0.0)
    for _ in range(REFUSALS):
        assert e.failures == 0
        e.refused(must(e.take(0.0)), 0.0, 0)
    assert e.failures == 1
    assert e.take(0.5) is None
    probe = must(e.take(1.0))
    assert ids(probe) == [5], "not the ones it refused: one bad batch must not hold up the rest"
    e.taken(probe)
    assert ids(e.take(1.0)) == [1]


def test_a_report_is_given_up_only_after_its_time_and_a_try() -> None:
    e = endpoint()
    e.offer([row(1, created_at=0), row(2, created_at=50_000)], now=0.0)
    failed = e.unreachable(must(e.take(1.0)), 1.0, now_ms=100_001)
    assert [r[ID] for r in failed.given_up] == [1]
    assert [r[ID] for r in failed.waiting] == [2]
    assert ids(e.take(2.0)) == [2]


def test_old_reports_read_back_for_a_dead_endpoint_are_given_up_without_a_post_each() -> None:
    e = endpoint(spilled=True)
    e.failures = 5
    e.begin_page()
    e.end_page([row(1, created_at=0), row(2, created_at=90_000)], now=0.0)
    assert [r[ID] for r in e.outdated(now_ms=100_001)] == [1]
    assert ids(e.take(1.0)) == [2]


def test_old_reports_of_an_endpoint_not_known_to_be_down_are_tried() -> None:
    e = endpoint(spilled=True)
    e.begin_page()
    e.end_page([row(1, created_at=0)], now=0.0)
    assert e.outdated(now_ms=10**9) == []
    assert ids(e.take(0.0)) == [1]


def test_reports_past_the_memory_bound_are_left_to_the_store_and_read_back() -> None:
    e = endpoint()
    e.offer(rows(1, MEMORY + 10), now=0.0)
    assert e.held() == MEMORY
    assert e.spilled
    e.offer(rows(MEMORY + 11, MEMORY + 12), now=0.0)
    assert e.held() == MEMORY
    assert not e.wants_page(0.0)


def test_what_is_offered_while_the_last_page_is_read_is_neither_lost_nor_doubled() -> None:
    e = endpoint(spilled=True)
    e.begin_page()
    e.offer(rows(5, 8), now=0.0)  # 5 and 6 were committed in time to be on the page
    e.end_page(rows(1, 6), now=0.0)
    assert not e.spilled
    assert [r[ID] for r in e.queue] == [1, 2, 3, 4, 5, 6, 7, 8]
    e.offer(rows(4, 4) + rows(9, 9), now=0.0)  # the offer of 4 comes after it was read back
    assert [r[ID] for r in e.queue] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_page_never_brings_what_is_in_flight_put_off_or_not_yet_recorded() -> None:
    e = endpoint()
    e.offer(rows(1, 6), now=0.0)
    in_flight, put_off = must(e.take(0.0)), must(e.take(0.0))
    e.refused(put_off, 0.0, 0)
    e.unrecorded[1] = [row(7)]
    e.spilled = True
    e.begin_page()
    e.taken(in_flight)  # while the page is being read
    e.end_page(rows(1, 8), now=0.0)
    assert [r[ID] for r in e.queue] == [8]


def test_a_full_page_is_followed_by_the_next_and_then_by_a_last_look_from_the_start() -> None:
    e = endpoint(CallbackSettings(batch=PAGE, connections=1), spilled=True)
    assert e.begin_page() == 0
    e.end_page(rows(1, PAGE), now=0.0)
    e.taken(must(e.take(0.0)))
    assert e.begin_page() == PAGE
    e.end_page(rows(PAGE + 1, PAGE + 2), now=0.0)
    assert e.spilled, "something may have been stored behind the cursor meanwhile"
    e.taken(must(e.take(0.0)))
    assert e.begin_page() == 0
    e.end_page([], now=0.0)
    assert not e.spilled


def test_a_pass_that_finds_only_what_is_known_is_not_repeated_at_once() -> None:
    e = endpoint(CallbackSettings(batch=1500, connections=2, burst_interval=60.0), spilled=True)
    stored = rows(1, PAGE + 500)
    e.offer([], now=0.0)
    for _ in range(2):  # two pages make the store's 1500 rows, all of which are then refused
        assert e.wants_page(0.0)
        after = e.begin_page()
        e.end_page([r for r in stored if r[ID] > after][:PAGE], 0.0)
    e.refused(must(e.take(0.0)), 0.0, 0)
    pages = 0
    while e.wants_page(0.0) and pages < 10:
        after = e.begin_page()
        e.end_page([r for r in stored if r[ID] > after][:PAGE], 0.0)
        pages += 1
    assert pages == 2, "one look from the start, for what was stored behind the cursor"
    assert e.next_due(0.0) == AGAIN
    assert e.wants_page(AGAIN)


def test_a_second_report_of_a_message_never_overtakes_the_first() -> None:
    e = endpoint()
    e.offer([row(1), row(2), row(3)], now=0.0)
    first = must(e.take(0.0))
    e.offer([row(9), row(10, message_id=2), row(11)], now=0.0)
    e.taken(must(e.take(0.0)))
    e.refused(first, 0.0, 0)
    assert ids(e.take(1.0)) == [11]
    assert ids(e.take(1.0)) == [1, 2, 3, 10]


def test_what_is_put_off_is_bounded_too() -> None:
    e = endpoint(CallbackSettings(batch=MEMORY // 2, connections=1))
    for first in (1, MEMORY // 2 + 1):
        e.offer(rows(first, first + MEMORY // 2 - 1), now=0.0)
        e.refused(must(e.take(0.0)), 0.0, 0)
    e.offer(rows(2 * MEMORY, 3 * MEMORY - 1), now=0.0)
    assert e.take(0.5) is None
    assert e.next_due(0.5) == 1.0
    assert ids(e.take(1.0))[0] == 1


def test_the_timer_never_fires_for_what_may_not_leave_yet() -> None:
    e = endpoint()
    e.offer(rows(1, 3), now=0.0)
    e.refused(must(e.take(0.0)), 0.0, 0)
    e.offer(rows(4, 4), now=5.0)
    assert e.take(5.0) is None, "the refused batch is due, but lets the new report go first"
    assert e.next_due(5.0) == 5.0 + LINGER


def test_deliveries_stop_while_too_many_wait_to_be_recorded() -> None:
    e = endpoint()
    e.offer(rows(1, 3), now=0.0)
    e.unrecorded = {number: [] for number in range(UNRECORDED)}
    assert e.take(1.0) is None
    assert e.next_due(1.0) is None
    del e.unrecorded[0]
    assert ids(e.take(1.0)) == [1, 2, 3]


def test_a_new_url_is_tried_at_once() -> None:
    e = endpoint()
    e.offer(rows(1, 3), now=0.0)
    e.unreachable(must(e.take(0.0)), 0.0, 0)
    assert e.take(0.1) is None
    assert e.moved("http://elsewhere.example/") == []
    assert ids(e.take(0.1)) == [1, 2, 3]


def test_without_a_url_everything_that_waits_comes_back() -> None:
    e = endpoint()
    e.offer(rows(1, 5), now=0.0)
    e.unreachable(must(e.take(0.0)), 0.0, 0)
    assert [r[ID] for r in e.moved(None)] == [1, 2, 3, 4, 5]
    assert e.idle


VERDICTS = st.sampled_from(["taken", "taken", "refused", "unreachable", "offer", "page", "wait"])


@given(script=st.lists(VERDICTS, max_size=120))
def test_whatever_happens_every_report_is_delivered_once_in_the_end(script: list[str]) -> None:
    """The store is a set here; the endpoint may lose nothing and post nothing twice after it was taken."""
    play = Play()
    for word in script:
        play.step(word)
    play.finish()
    assert sorted(play.delivered) == sorted(play.offered)
    assert play.endpoint.idle


class Play:
    """An endpoint, the store beside it, and a customer who answers as the script says."""

    def __init__(self) -> None:
        self.endpoint = endpoint(CallbackSettings(batch=4, connections=2, give_up_after=1e9))
        self.now = 0.0
        self.offered: list[int] = []
        self.delivered: list[int] = []
        self.page: list[tuple[object, ...]] | None = None

    def step(self, word: str) -> None:
        if word == "offer":
            self.offer(3)
        elif word == "wait":
            self.now += 0.7
        elif word == "page":
            self.turn_page()
        else:
            self.post(word)

    def offer(self, count: int) -> None:
        new = [row(len(self.offered) + number + 1) for number in range(count)]
        self.offered += [r[ID] for r in new]  # type: ignore[misc]
        self.endpoint.offer(new, self.now)

    def turn_page(self) -> None:
        if self.page is not None:
            self.endpoint.end_page(self.page, self.now)
            self.page = None
        elif self.endpoint.wants_page(self.now):
            after = self.endpoint.begin_page()
            done = set(self.delivered)
            self.page = [row(number) for number in self.offered if number > after and number not in done][
                :PAGE
            ]

    def post(self, verdict: str) -> None:
        batch = self.endpoint.take(self.now)
        if batch is None:
            return
        if verdict == "taken":
            self.delivered += ids(batch)
            self.endpoint.taken(batch)
        else:
            getattr(self.endpoint, verdict)(batch, self.now, 0)

    def finish(self) -> None:
        for _ in range(400):
            if self.endpoint.idle:
                return
            self.turn_page()
            self.post("taken")
            due = self.endpoint.next_due(self.now)
            self.now = max(self.now + 0.01, due or 0.0, self.endpoint.resume_at)


def reply(number: int, handset: int = 1, created_at: int = 0) -> tuple[object, ...]:
    """Return the row of a handset's message."""
    return row(number, created_at, message_id=-handset)


def test_replies_and_status_reports_never_share_a_post_and_keep_their_order() -> None:
    e = endpoint()
    e.offer([row(1), reply(2), reply(3, handset=2), row(4), row(5)], now=0.0)
    batches = []
    while len(batches) < 3:
        batch = must(e.take(LINGER * 10, linger=0.0))
        batches.append((ids(batch), batch.replies))
        e.taken(batch)
    assert batches == [([1], False), ([2, 3], True), ([4, 5], False)]


def test_a_reply_waits_while_an_earlier_one_of_its_handset_is_on_its_way() -> None:
    e = endpoint()
    e.offer([reply(1), reply(2), reply(3), reply(4), reply(5, handset=2)], now=0.0)
    first = must(e.take(0.0))
    assert ids(first) == [1, 2, 3]
    assert e.take(1.0) is None
    e.taken(first)
    assert ids(e.take(1.0 + LINGER)) == [4, 5]


def test_a_reply_joins_an_earlier_one_of_its_handset_that_is_put_off() -> None:
    e = endpoint()
    e.offer([reply(1), reply(2, handset=2)], now=0.0)
    e.refused(must(e.take(LINGER)), 0.1, 0)
    e.offer([reply(3), reply(4, handset=3), reply(5)], now=0.1)
    assert ids(e.take(0.2)) == [4], "strangers go on"
    assert ids(e.take(1.2)) == [1, 2, 3, 5]


def test_the_halves_of_a_refused_batch_go_in_turn_where_they_share_a_handset() -> None:
    e = endpoint(CallbackSettings(batch=4, connections=4, burst_retries=0, slow_schedule=(1.0,)))
    e.offer([reply(1), reply(2), reply(3), reply(4)], now=0.0)
    e.refused(must(e.take(0.0)), 0.0, 0)
    first = must(e.take(1.0))
    assert ids(first) == [1, 2]
    assert e.take(1.0) is None, "the other half is the same handset's"
    assert e.next_due(1.0) is None
    e.taken(first)
    assert ids(e.take(1.0)) == [3, 4]


@given(
    handsets=st.lists(st.integers(1, 3), min_size=1, max_size=20),
    verdicts=st.lists(st.sampled_from(["taken", "refused", "unreachable"]), max_size=30),
)
def test_however_an_endpoint_answers_replies_of_a_handset_arrive_in_order(
    handsets: list[int], verdicts: list[str]
) -> None:
    """As long as it does not refuse so much that everything is left to the store."""
    e = endpoint(CallbackSettings(batch=3, connections=2, burst_retries=50, give_up_after=1e9))
    e.offer([reply(n, handset) for n, handset in enumerate(handsets, 1)], now=0.0)
    now, arrived, flying = 0.0, [], []
    answers = iter(verdicts)
    for _ in range(400):
        while (batch := e.take(now, linger=0.0)) is not None:
            flying.append(batch)
        if not flying:
            now += 1.0
            continue
        batch, verdict = flying.pop(), next(answers, "taken")
        if verdict == "refused" and e.refusals < REFUSALS - 1:
            e.refused(batch, now, 0)
        elif verdict == "unreachable":
            e.unreachable(batch, now, 0)
        else:
            arrived += batch.rows
            e.taken(batch)
    assert len(arrived) == len(handsets)
    for handset in set(handsets):
        mine = [one[ID] for one in arrived if one[2] == -handset]
        assert mine == sorted(mine)
