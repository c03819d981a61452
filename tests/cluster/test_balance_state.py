"""Another deal is made where a worker cannot carry its share and another could; and not for noise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.balance_state import Balance
from swell.cluster.messages import Strain
from swell.result import Shortfall
from tests.cluster.unequal_workers import Cluster

HOUR = 3_600
few = st.lists(st.floats(1_000, 50_000), min_size=2, max_size=5)


@settings(max_examples=15, deadline=None)
@given(few, st.integers(0, 1_000))
def test_noise_moves_nobody_within_an_hour(carries: list[float], seed: int) -> None:
    """Capacities that scatter by a tenth, measured as inexactly, and a load of 70 % of them."""
    numbered = dict(enumerate(carries))
    cluster = Cluster(numbered, 0.7 * sum(carries), measured=numbered, scatter=0.1, seed=seed)
    assert cluster.play(HOUR).deals == []


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(0, 1_000))
def test_a_worker_that_drops_to_a_quarter_brings_about_one_re_deal_or_two(workers: int, seed: int) -> None:
    cluster = Cluster(dict.fromkeys(range(workers), 10_000.0), 6_000.0 * workers, scatter=0.1, seed=seed)
    cluster.play(60)
    cluster.carries[0] = 2_500.0
    fits = 0.6 * workers <= 0.9 * (workers - 0.75)
    cluster.play(600)
    assert 1 <= len(cluster.deals) <= 2
    assert cluster.deals[0] <= 70
    if fits:
        assert all(player.pile < 1_000 for player in cluster.players.values())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.3, 3), min_size=2, max_size=6), st.integers(0, 1_000))
def test_workers_that_were_never_measured_end_up_with_what_they_carry(factors: list[float], seed: int) -> None:
    carries = {worker: 10_000 * factor for worker, factor in enumerate(factors)}
    cluster = Cluster(carries, 0.8 * sum(carries.values()), scatter=0.05, seed=seed).play(300)
    assert len(cluster.deals) <= 4
    assert all(player.pile < 0.2 * cluster.carries[worker] for worker, player in cluster.players.items())
    assert not any(cluster.deals[at + 1] - cluster.deals[at] < 10 for at in range(len(cluster.deals) - 1))


def test_a_worker_at_a_tenth_of_a_core_costs_half_of_the_load_where_it_is_dealt_evenly() -> None:
    carries = {0: 5_000.0, 1: 50_000.0}
    load_per_s = 0.9 * sum(carries.values())
    even = Cluster(carries, load_per_s, deals=False).play(60)
    fair = Cluster(carries, load_per_s, measured={0: 1_000.0, 1: 10_000.0}).play(60)
    late = Cluster(carries, load_per_s).play(60)
    assert even.done_per_s == pytest.approx(29_750)
    assert fair.done_per_s == pytest.approx(load_per_s)
    assert fair.deals == []
    assert fair.done_per_s > 1.5 * even.done_per_s
    assert late.deals[0] <= 5
    assert late.done_per_s > 1.5 * even.done_per_s


def test_one_re_deal_takes_at_most_three_quarters_of_a_share() -> None:
    cluster = Cluster({0: 100.0, 1: 50_000.0}, 20_000.0).play(8)
    assert len(cluster.deals) == 1
    assert cluster.fraction(0) == pytest.approx(0.125, abs=0.01)
    cluster.play(30)
    assert cluster.fraction(0) < 0.01
    assert all(after - before >= 10 for before, after in zip(cluster.deals, cluster.deals[1:], strict=False))


def test_where_all_are_saturated_nobody_has_room_and_nothing_is_moved() -> None:
    cluster = Cluster({0: 1_000.0, 1: 1_000.0}, 5_000.0).play(120)
    assert cluster.deals == []


def steady(balance: Balance, worker: int, strain: Strain, share: float, seconds: int = 6) -> None:
    for second in range(seconds):
        balance.felt(worker, second * NS_PER_S, strain, share)


def test_a_worker_that_is_late_but_does_all_it_is_dealt_keeps_its_share() -> None:
    """Its planned starts are late for another reason than its load: less of it would be as late."""
    balance = Balance({0: 0.0, 1: 0.0})
    steady(balance, 0, Strain(cpu=0.1, lag_p99_ms=90, calls_per_s=500), 0.5)
    steady(balance, 1, Strain(cpu=0.1, lag_p99_ms=1, calls_per_s=500), 0.5)
    assert balance.wanted(5 * NS_PER_S) is None


def test_a_worker_whose_stops_no_quota_explains_is_known_by_what_it_does_not_do() -> None:
    """A duty cycle: the kernel says that it could have had a core, and yet it is late and does less."""
    balance = Balance({0: 0.0, 1: 0.0})
    steady(balance, 0, Strain(cpu=0.1, lag_p99_ms=900, calls_per_s=200), 0.5)
    steady(balance, 1, Strain(cpu=0.25, lag_p99_ms=1, calls_per_s=500), 0.5)
    assert balance.wanted(5 * NS_PER_S) == pytest.approx({0: 2_000 / 7, 1: 2_000})
    assert balance.because == "worker 0 cannot carry its share"


@pytest.mark.parametrize("strain", [Strain(), Strain(cpu=1.0), Strain(cpu=1.0, lag_p99_ms=5_000, throttled=1.0)])
def test_workers_that_make_no_calls_show_nothing_to_deal_by(strain: Strain) -> None:
    balance = Balance({0: 0.0, 1: 0.0})
    steady(balance, 0, strain, 0.5)
    steady(balance, 1, Strain(), 0.5)
    assert (balance.wanted(5 * NS_PER_S), balance.shortfall(5 * NS_PER_S)) == (None, 0)


@pytest.mark.parametrize("number", [-1.0, float("nan"), float("inf")])
def test_strain_that_is_no_number_is_not_felt(number: float) -> None:
    balance = Balance({0: 0.0, 1: 0.0})
    steady(balance, 0, Strain(cpu=1.0, calls_per_s=number), 0.5)
    steady(balance, 1, Strain(cpu=number, calls_per_s=100), 0.5)
    assert balance.wanted(5 * NS_PER_S) is None
    assert "0 kept" in repr(balance)


def test_one_bad_second_or_two_are_no_saturation() -> None:
    balance = Balance({0: 0.0, 1: 0.0})
    for second in range(30):
        bad = second % 4 != 3
        balance.felt(0, second * NS_PER_S, Strain(cpu=1.0 if bad else 0.8, calls_per_s=100), 0.5)
        balance.felt(1, second * NS_PER_S, Strain(cpu=0.2, calls_per_s=100), 0.5)
        if second % 4 == 3:
            assert balance.wanted(second * NS_PER_S) is None


def test_who_has_not_been_heard_of_for_long_is_neither_saturated_nor_has_it_room() -> None:
    balance = Balance({0: 0.0, 1: 0.0})
    steady(balance, 0, Strain(cpu=1.0, calls_per_s=100), 0.5)
    steady(balance, 1, Strain(cpu=0.1, calls_per_s=100), 0.5, seconds=2)
    assert balance.wanted(5 * NS_PER_S) is None


def test_a_worker_that_joins_is_dealt_by_what_it_measured_in_proportion_to_the_others() -> None:
    """These measured 1,000 and 4,000 with a bench's calls, and carry 100 and 400 of the script's."""
    balance = Balance({0: 1_000.0, 1: 4_000.0})
    steady(balance, 0, Strain(cpu=1.0, calls_per_s=100), 0.5)
    steady(balance, 1, Strain(cpu=0.25, calls_per_s=100), 0.5)
    assert balance.wanted(5 * NS_PER_S) == pytest.approx({0: 100, 1: 400})
    balance.among({1: 4_000.0, 2: 2_000.0, 3: 0.0})
    assert balance.capacities == pytest.approx({1: 400, 2: 200, 3: 0})


def test_workers_that_hold_shares_already_need_no_introduction() -> None:
    """A controller that takes a run up deals nothing at first."""
    balance = Balance()
    for worker, strain in enumerate((Strain(cpu=1.0, calls_per_s=100), Strain(cpu=0.25, calls_per_s=100))):
        for second in range(6):
            balance.felt(worker, second * NS_PER_S, strain, 0.5, measured=1_000.0)
    assert balance.is_strained(5 * NS_PER_S)
    assert not balance.is_strained(5 * NS_PER_S + 1)  # it has just been looked at
    assert balance.wanted(5 * NS_PER_S) == pytest.approx({0: 100, 1: 400})


def test_what_is_felt_while_shares_are_on_their_way_counts_no_more() -> None:
    balance = Balance({0: 0.0, 1: 0.0})
    steady(balance, 0, Strain(cpu=1.0, calls_per_s=100), 0.5)
    steady(balance, 1, Strain(cpu=0.25, calls_per_s=100), 0.5)
    balance.dealt(5 * NS_PER_S)
    assert balance.wanted(5 * NS_PER_S) is None
    assert balance.wanted(60 * NS_PER_S) is None


# --- too small -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("load", "needed"), [(0.8, 0), (0.95, 0), (1.5, 4), (2.5, 6), (6.0, 14)])
def test_a_cluster_that_is_too_small_says_how_many_workers_it_takes(load: float, needed: int) -> None:
    cluster = Cluster({0: 1_000.0, 1: 1_000.0}, load * 2_000).play(30)
    assert cluster.balance.shortfall(30 * NS_PER_S) == pytest.approx(needed, abs=1 if needed > 5 else 0)


def test_what_it_takes_is_said_once_and_again_when_it_is_much_more() -> None:
    cluster = Cluster({0: 1_000.0, 1: 1_000.0}, 3_000)
    said: list[Shortfall] = []

    def note() -> None:
        said.extend(filter(None, [cluster.balance.notice(cluster.second * NS_PER_S, cluster.second)]))

    cluster.play(60, note)
    assert [one.text for one in said] == ["2 workers are too few for this plan: it takes at least 4 like them"]
    cluster.load_per_s = 6_000
    cluster.play(60, note)
    assert 2 <= len(said) <= 4
    assert said[-1].needed > 4


def test_users_who_go_as_fast_as_they_can_ask_for_no_more_workers() -> None:
    """A closed load without a pause saturates any number of them: nobody is late."""
    balance = Balance({0: 0.0})
    steady(balance, 0, Strain(cpu=1.0, calls_per_s=50_000), 1.0)
    assert balance.shortfall(5 * NS_PER_S) == 0


def test_workers_that_stay_as_late_as_they_are_since_the_rest_is_dropped_are_too_few_all_the_same() -> None:
    balance = Balance({0: 0.0, 1: 0.0})
    for worker in range(2):
        steady(balance, worker, Strain(cpu=1.0, lag_p99_ms=700, calls_per_s=100), 0.5)
    assert balance.shortfall(5 * NS_PER_S) == 3


def test_workers_that_are_late_and_have_cpu_left_are_not_too_few() -> None:
    """Something else holds their loops up: a task, say, that does not cooperate."""
    balance = Balance({0: 0.0, 1: 0.0})
    for worker in range(2):
        steady(balance, worker, Strain(cpu=0.2, lag_p99_ms=700, calls_per_s=100), 0.5)
    assert (balance.shortfall(5 * NS_PER_S), balance.wanted(5 * NS_PER_S)) == (0, None)


def test_one_worker_is_told_of_in_the_singular() -> None:
    assert Shortfall(5.0, 1, 3).text == "one worker is too few for this plan: it takes at least 3 like it"
