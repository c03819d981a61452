from swell.cluster.messages import Strain
from swell.cluster.strain import strain_of
from swell.segment import Health, Segment

HEALTH = Health(cpu=0.1, busy=0.9, throttled=0.7, schedule_lag_p99_ms=12.0, loop_lag_p99_ms=90.0)


def reported(sequence: int, **other: object) -> Segment:
    return Segment("run", 0, 1, sequence, 1_000, 1_600, 3.5, health=HEALTH, **other)  # type: ignore[arg-type]


def test_a_pulse_tells_how_the_worker_fared_in_its_last_report() -> None:
    assert strain_of(reported(2), 2.0) == Strain(0.9, 12.0, 90.0, 0.7, 400.0)


def test_of_the_first_report_nobody_knows_when_its_calls_began() -> None:
    assert strain_of(reported(1), 0.0).calls_per_s == 0.0


def test_two_reports_of_one_instant_have_no_rate() -> None:
    assert strain_of(reported(2), 3.5).calls_per_s == 0.0


def test_a_worker_that_has_not_said_what_it_could_have_had_is_taken_to_have_had_a_core() -> None:
    segment = Segment("run", 0, 1, 2, 0, 0, 1.0, health=Health(cpu=1.2))
    assert strain_of(segment).cpu == 1.0
