"""Every worker of a run with several machines, or with losses: what it carried, how it ended, what that cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from swell.document import ResultDocument, WorkerSummary
from swell.report.columns import columns
from swell.report.figures import clock_text, count_text, share_text
from swell.report.labelled import Labelled
from swell.report.wording import shortened, visible
from swell.report.worker_wording import capacity_text, cost_text, fate_text, is_eventful, name_of, redeal_text

MOST_ROWS = 20
MOST_LINES = 10
HEADS = ("worker", "requests", "share", "users", "measured/s", "joined")
FIGURES_WIDTH = 60
"""What a row takes beside the host's name."""


def worker_section(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    """A table of them, and what happened to them; nothing where all went well on one machine."""
    if not is_eventful(document):
        return
    shown = _chosen(document.workers)
    host_width = max(width - FIGURES_WIDTH, 4)
    requests = sum(worker.requests for worker in document.workers)
    table = columns(
        [Text(head, style="dim") for head in HEADS], [_row(worker, requests, host_width) for worker in shown]
    )
    lines = [*map(_fate, filter(fate_text, shown)), *_dealt(document)]
    if hidden := len(document.workers) - len(shown):
        lines.append(Text(f"(and {hidden:,} workers more: --json has them all)", style="dim"))
    yield Group(table, Labelled("", lines, indent=0)) if lines else table


def _chosen(workers: Sequence[WorkerSummary]) -> list[WorkerSummary]:
    """Those that something happened to, and then the first of the others; in the order in which they are listed."""
    order = sorted(range(len(workers)), key=lambda place: (not fate_text(workers[place]), place))
    return [workers[place] for place in sorted(order[:MOST_ROWS])]


def _row(worker: WorkerSummary, requests: int, host_width: int) -> list[Text]:
    host = f" on {shortened(visible(worker.host), host_width)}" if worker.host else ""
    return [
        Text(name_of(worker) + host, style="yellow" if worker.lost_at_s is not None else ""),
        Text(count_text(worker.requests)),
        Text(share_text(worker.requests, max(requests, 1))),
        Text(count_text(worker.users_most)),
        Text(capacity_text(worker)),
        Text(clock_text(worker.joined_s)),
    ]


def _fate(worker: WorkerSummary) -> Text:
    text = f"worker {name_of(worker)} {visible(fate_text(worker))}"
    if worker.lost_at_s is None:
        return Text(f"{text}: it handed over all that it had")
    return Text(f"{text}. It cost {cost_text(worker)}", style="yellow")


def _dealt(document: ResultDocument) -> Iterator[Text]:
    """How the load was dealt again, and whether the workers were too few."""
    redeals = document.cluster.redeals
    if len(redeals) > MOST_LINES:
        yield Text(f"the load was dealt again {count_text(redeals[-1].number)} times; the latest:")
    for redeal in redeals[-MOST_LINES:]:
        yield Text(f"{clock_text(redeal.at_s)} {visible(redeal_text(redeal))}")
    for shortfall in document.cluster.shortfalls[-1:]:
        yield Text(f"{clock_text(shortfall.at_s)} {shortfall.text}", style="yellow")
