import pytest

from linkpage.admission import POLL_S, Barred, Circuit
from linkpage.config import Limits


def fill(admission, lane, count):
    for _ in range(count):
        admission.succeeded(admission.admit(lane))


def reason_of_refusal(admission, lane="pages"):
    with pytest.raises(Barred) as refused:
        admission.admit(lane)
    return refused.value.barrier.reason


def test_two_workers_share_one_cap(worker):
    one, other = worker(), worker()
    fill(one, "pages", 40)
    fill(other, "pages", 26)
    assert reason_of_refusal(one) == "rate-limit"
    fill(other, "clicks", 24)
    assert reason_of_refusal(one, "clicks") == "rate-limit"
    assert one.used() == other.used() == 90
    assert one.used("clicks") == 24


def test_a_slot_is_free_again_when_its_request_left_the_window(worker, clock):
    admission = worker()
    fill(admission, "pages", 1)
    clock.now += 10
    fill(admission, "pages", 65)
    until = admission.barrier("pages").until
    assert until == pytest.approx(clock.now + 50.03)
    clock.now = until - 0.001
    assert reason_of_refusal(admission) == "rate-limit"
    clock.now = until
    admission.admit("pages")
    assert reason_of_refusal(admission) == "rate-limit"


def test_slots_that_were_set_aside_are_kept_from_everybody_else(worker, clock):
    one, other = worker(), worker()
    fill(one, "pages", 64)
    slots = one.set_aside("pages", 2, within=5)
    assert reason_of_refusal(other) == "rate-limit"
    one.admit("pages", slots.pop())
    one.give_back(slots)
    other.admit("pages")
    assert reason_of_refusal(one) == "rate-limit"


def test_slots_set_aside_by_a_worker_that_died_are_free_after_their_time(worker, clock):
    one, other = worker(), worker()
    one.set_aside("pages", 66, within=5)
    assert reason_of_refusal(other) == "rate-limit"
    clock.now += 5.1
    other.admit("pages")


def test_failures_of_both_workers_open_one_breaker(worker):
    one, other = worker(), worker()
    opened = [who.failed(who.admit("pages")) for who in (one, other, one, other, one)]
    assert opened == [False, False, False, False, True]
    assert reason_of_refusal(other) == "circuit-open"
    assert other.circuit() == Circuit.OPEN


def test_a_success_in_between_begins_the_count_anew(worker):
    admission = worker()
    for _ in range(4):
        admission.failed(admission.admit("pages"))
    admission.succeeded(admission.admit("pages"))
    for _ in range(4):
        assert not admission.failed(admission.admit("pages"))
    assert admission.circuit() == Circuit.CLOSED


def opened(admission):
    permits = [admission.admit("pages") for _ in range(6)]
    for permit in permits[:5]:
        admission.failed(permit)
    return permits[5]


def test_only_one_of_the_workers_sends_a_probe(worker, clock):
    one, other = worker(), worker()
    opened(one)
    clock.now += 30
    assert other.circuit() == Circuit.HALF_OPEN
    probe = one.admit("pages")
    assert probe.is_probe
    assert reason_of_refusal(other) == "circuit-open"
    one.succeeded(probe)
    assert other.circuit() == Circuit.CLOSED
    assert not other.admit("pages").is_probe


def test_a_probe_that_fails_opens_for_the_whole_time_again(worker, clock):
    admission = worker()
    opened(admission)
    clock.now += 31
    assert admission.failed(admission.admit("pages"))
    clock.now += 29.9
    assert reason_of_refusal(admission) == "circuit-open"
    clock.now += 0.1
    assert admission.admit("pages").is_probe


def test_another_probe_goes_when_the_first_was_abandoned_or_its_worker_died(worker, clock):
    one, other = worker(), worker()
    opened(one)
    clock.now += 30
    one.abandoned(one.admit("pages"))
    assert other.admit("pages").is_probe
    clock.now += 20
    assert one.admit("pages").is_probe


def test_results_from_before_a_change_of_state_do_not_count(worker, clock):
    admission = worker()
    late = opened(admission)
    admission.succeeded(late)
    assert admission.circuit() == Circuit.OPEN
    clock.now += 30
    probe = admission.admit("pages")
    admission.failed(late)
    admission.succeeded(probe)
    assert admission.circuit() == Circuit.CLOSED


def test_a_retry_after_holds_both_workers_and_the_longest_counts(worker, clock):
    one, other = worker(), worker()
    one.hold(7)
    other.hold(2)
    assert reason_of_refusal(other) == "retry-after"
    clock.now += 6.9
    assert reason_of_refusal(other, "clicks") == "retry-after"
    clock.now += 0.1
    other.admit("pages")


def test_what_is_not_let_through_takes_no_slot(worker):
    admission = worker(Limits(cap=3, reserved_for_clicks=0))
    fill(admission, "pages", 3)
    for _ in range(5):
        reason_of_refusal(admission)
    assert admission.used() == 3


def test_a_service_that_starts_has_a_closed_breaker_and_keeps_what_linktree_counts(worker, clock):
    before = worker()
    late = opened(before)
    before.hold(7)
    used = before.used()
    after = worker()
    after.begin()
    assert (after.circuit(), after.used()) == (Circuit.CLOSED, used)
    assert reason_of_refusal(after) == "retry-after"
    assert not after.failed(late)


def test_a_glance_is_what_was_seen_a_moment_ago(worker, clock):
    one, other = worker(), worker()
    assert one.glance("pages") is None
    other.hold(7)
    assert one.glance("pages") is None
    clock.now += POLL_S
    assert one.glance("pages").reason == "retry-after"


def test_more_slots_than_there_are_never_come(worker, clock):
    admission = worker(Limits(cap=3, reserved_for_clicks=2))
    assert admission.barrier("pages", slots=2).reason == "rate-limit"
    assert admission.barrier("pages") is None
