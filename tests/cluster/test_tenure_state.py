from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.messages import Lease
from swell.cluster.tenure_state import Tenure

S = NS_PER_S


def lease(sent_ns: int, lease_s: float = 15.0) -> Lease:
    return Lease(sent_ns, now_ns=0, term=1, lease_s=lease_s)


def test_nobody_has_a_lease_before_the_first_answer() -> None:
    assert not Tenure().holds(0)


def test_a_lease_runs_from_when_the_pulse_was_said_not_from_when_the_answer_came() -> None:
    tenure = Tenure()
    assert tenure.extend(lease(10 * S), 24 * S)
    assert tenure.holds(25 * S - 1)
    assert not tenure.holds(25 * S)


def test_a_late_or_repeated_answer_does_not_shorten_it() -> None:
    tenure = Tenure()
    tenure.extend(lease(12 * S), 13 * S)
    tenure.extend(lease(10 * S), 13 * S)
    tenure.extend(lease(12 * S, 1.0), 13 * S)
    assert tenure.ends_ns == 27 * S


def test_an_answer_to_what_was_never_said_is_none() -> None:
    tenure = Tenure()
    assert not tenure.extend(lease(14 * S), 13 * S)
    assert not tenure.extend(lease(0), 13 * S)
    assert not tenure.extend(lease(-S), 13 * S)
    assert tenure.ends_ns is None


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**11)), max_size=30))
def test_whatever_comes_in_whatever_order_it_ends_a_lease_after_the_latest_pulse(heard: list[tuple[int, int]]) -> None:
    tenure = Tenure()
    for sent_ns, way_ns in heard:
        tenure.extend(lease(sent_ns, 3.0), sent_ns + way_ns)
    assert tenure.ends_ns == max((sent_ns + 3 * S for sent_ns, _ in heard), default=None)
