from swell.cluster.leases_state import pulse_interval_s


def test_a_lease_is_renewed_each_second_and_a_short_one_as_often_before_it_ends() -> None:
    assert [pulse_interval_s(lease_s) for lease_s in (60, 15, 3)] == [1.0, 1.0, 0.2]
