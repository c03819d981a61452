"""What is said of the workers of a run: in the terminal, on its page."""

import msgspec
from rich.console import Group

from swell.document import ClusterSummary, ResultDocument
from swell.report.html_bounds import LEVELS
from swell.report.html_marks import marks
from swell.report.html_workers import worker_notes, worker_rows
from swell.report.worker_section import worker_section
from swell.report.worker_wording import cost_text, fate_text
from swell.result import Redeal, RunResult, Shortfall
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.expected_text import assert_fits, rendered

MOVED = ClusterSummary(
    restarts=2,
    redeals=(Redeal(1, 5.6, 0.5, "worker 1 is gone"), Redeal(2, 8.0, 0.25, "worker 3 is in")),
    shortfalls=(Shortfall(9.0, 2, 5),),
)


def of_machines() -> tuple[RunResult, ResultDocument]:
    """A worker that was lost, one that left, one that came late, on three machines."""
    merge = sample_results.new_merge(sample_results.plan())
    for one in sample_results.contest_segments(6):
        merge.apply(one)
    merge.worker_joined(2, 1, host="third", capacity=900.0, at_s=4.0)
    merge.worker_lost(1, 1, at_s=6.5, because="has not been heard for 15 s")
    merge.worker_taken_over(1, 1, at_s=7.25)
    merge.worker_left(0, 1, at_s=9.0)
    result = merge.snapshot(10.0)
    return result, msgspec.structs.replace(summarise(result), cluster=MOVED)


def test_a_run_on_one_machine_in_which_all_went_well_has_no_list_of_workers() -> None:
    assert list(worker_section(summarise(sample_results.ended()), 100)) == []


def test_the_terminal_tells_what_each_carried_how_it_ended_and_what_that_cost() -> None:
    _, document = of_machines()
    text = rendered(Group(*worker_section(document, 120)), 120)
    assert text.splitlines()[:4] == [
        "worker        requests   share  users  measured/s  joined",
        "0.1 on here        616  50.7 %     10           –    0:00",
        "1.1 on here        600  49.3 %     10           –    0:00",
        "2.1 on third         0     0 %      0       900.0    0:04",
    ]
    assert "worker 0.1 left at 0:09: it handed over all that it had" in text
    assert "worker 1.1 has not been heard for 15 s at 0:06. It cost 50 exchanges" in text
    assert "0:05 worker 1 is gone: 50 % of the load moves" in text
    assert "0:09 2 workers are too few for this plan: it takes at least 5 like them" in text


def test_of_many_workers_those_are_listed_that_something_happened_to() -> None:
    _, document = of_machines()
    workers = [msgspec.structs.replace(document.workers[2], id=str(number)) for number in range(100)]
    workers[77] = msgspec.structs.replace(workers[77], lost_at_s=3.0, lost_because="was killed by signal 9")
    text = rendered(Group(*worker_section(msgspec.structs.replace(document, workers=tuple(workers)), 120)), 120)
    assert "77.1 on third" in text
    assert "(and 80 workers more: --json has them all)" in text


def test_it_fits_however_long_a_host_is_called() -> None:
    _, document = of_machines()
    workers = tuple(msgspec.structs.replace(one, host="\x1b[31m" * 50, requests=9_876_543) for one in document.workers)
    for width in (60, 80, 120):
        text = rendered(Group(*worker_section(msgspec.structs.replace(document, workers=workers), width)), width)
        assert "\x1b" not in text
        assert_fits(text, width)


def test_the_page_marks_a_loss_over_all_its_seconds_and_who_came_and_left() -> None:
    result, document = of_machines()
    found, _ = marks(result, document, LEVELS[0])
    told = {mark.text: (mark.from_s, mark.to_s, mark.sort) for mark in found}
    assert told["worker 2.1 joined"] == (4.0, 4.0, "plan")
    assert told["worker 0.1 left, and handed over all that it had"] == (9.0, 9.0, "plan")
    assert told["worker 1 is gone: 50 % of the load moves"] == (5.6, 5.6, "plan")
    (loss,) = (span for text, span in told.items() if text.startswith("worker 1.1 has not been heard"))
    assert loss == (6.0, 7.25, "loss")


def test_the_page_lists_every_worker() -> None:
    result, document = of_machines()
    first, lost, late = worker_rows(result, document, LEVELS[0])
    assert (first.fate, first.cost, first.lost) == ("left at 0:09", "", False)
    assert (lost.fate, lost.lost) == ("has not been heard for 15 s at 0:06", True)
    assert (late.host, late.capacity, late.joined) == ("third", "900.0", "0:04")
    assert list(worker_notes(document)) == [
        "Workers were started again 2 times.",
        "The load was dealt again 2 times.",
        "At 0:09 2 workers are too few for this plan: it takes at least 5 like them.",
    ]


def test_a_loss_that_cost_nothing_says_so() -> None:
    _, document = of_machines()
    lost = msgspec.structs.replace(document.workers[1], unaccounted=0, missing_s=0.01, lost_because="")
    assert (fate_text(lost), cost_text(lost)) == ("was lost at 0:06", "nothing")
