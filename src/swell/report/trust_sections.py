"""Whether the numbers may be believed: accounting, the generator's health, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from swell.analysis.health_reasons import THROTTLED_SHARE
from swell.document import ClusterSummary, Limits, Reason, ResultDocument, State
from swell.report.figures import count_text, cpu_text, ms_text, seconds_text
from swell.report.labelled import Labelled
from swell.report.wording import visible
from swell.result import Refusal

STATE_STYLES = {State.VALID: "bold green", State.DEGRADED: "bold yellow", State.INVALID: "bold red"}
STATE_TEXTS = {
    State.VALID: "valid",
    State.DEGRADED: "degraded: the numbers need a caveat",
    State.INVALID: "invalid: the numbers should not be used",
}


REFUSAL_TEXTS = {
    Refusal.PARTS: "of several parts",
    Refusal.EMPTY: "empty",
    Refusal.OVERSIZE: "too long",
    Refusal.MALFORMED: "malformed",
    Refusal.OTHER_VERSION: "of another version",
    Refusal.OTHER_RUN: "of another run",
    Refusal.OTHER_TERM: "of another term",
    Refusal.OTHER_INCARNATION: "of another incarnation",
    Refusal.UNKNOWN_SENDER: "of an unknown sender",
    Refusal.OUT_OF_PLACE: "out of place",
    Refusal.UNSOUND: "that contradict themselves",
}
SOME = 3
"""So many senders are named."""


def accounting_section(document: ResultDocument) -> RenderableType:
    """Where every exchange went."""
    found = document.accounting
    line = Text(f"{count_text(found.sent)} sent = {count_text(found.answered)} answered")
    rest = found.sent - found.answered - found.unanswered
    line.append(f" + {count_text(found.unanswered)} unanswered", "yellow" if found.unanswered else "")
    if rest > 0:
        line.append(
            f" + {count_text(rest)} {'under way' if document.run.end is None else 'without an outcome'}", "yellow"
        )
    for count, name in ((found.not_sent, "not sent"), (found.unaccounted, "unaccounted")):
        if count:
            line.append(f" · {count_text(count)} {name}", "red")
    for count, name in ((found.redirected, "redirected"), (found.retried, "retried")):
        if count:
            line.append(f" · {count_text(count)} {name}")
    limits = document.limits
    beyond = [*_limit_lines(limits), *_value_lines(limits)]
    return Labelled("exchanges", [line, *_missed(document), *beyond, *_link_lines(document.cluster)])


def _missed(document: ResultDocument) -> Iterator[Text]:
    if missed := document.totals.missed:
        yield Text(f"{count_text(missed)} paced starts missed: too late to be made up", style="yellow")


def _limit_lines(limits: Limits) -> Iterator[Text]:
    for limit, what in ((limits.series, "calls in series"), (limits.errors, "failures with error texts")):
        if limit.beyond:
            yield Text(
                f"{count_text(limit.beyond)} {what} beyond the first {limit.cap:,}: under (other)", style="yellow"
            )
    if limits.revisions.beyond:
        yield Text(f"{count_text(limits.revisions.beyond)} revisions of the plan: no longer listed", style="yellow")


def _value_lines(limits: Limits) -> Iterator[Text]:
    beyond, refused = limits.measures.beyond, limits.values_refused
    if beyond:
        what = f"{count_text(beyond)} values of checks and measures beyond the first {limits.measures.cap:,}: left out"
        yield Text(what, style="yellow")
    if refused:
        yield Text(f"{count_text(refused)} values that no measure can hold: left out", style="yellow")


def _link_lines(found: ClusterSummary) -> Iterator[Text]:
    """What came over the link and was none of the run's."""
    if found.refused:
        kinds: Counter[str] = Counter()
        for one in found.refused:
            kinds[REFUSAL_TEXTS[one.kind]] += one.count
        texts = ", ".join(f"{count_text(count)} {kind}" for kind, count in kinds.most_common())
        senders = _some(sorted({one.sender for one in found.refused}))
        yield Text(f"frames refused: {texts}, from {senders}", style="yellow")
    if found.strangers:
        count = sum(one.count for one in found.strangers)
        plural = "connection" if count == 1 else "connections"
        addresses = _some([one.address for one in found.strangers])
        yield Text(f"{count_text(count)} {plural} turned away, from {addresses}", style="yellow")
    if found.crowded_out:
        yield Text(f"{count_text(found.crowded_out)} frames came too fast, and had to be sent again", style="yellow")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(visible, names[:SOME]))
    return shown if len(names) <= SOME else f"{shown} and {len(names) - SOME} more"


def generator_section(document: ResultDocument) -> RenderableType:
    """How the generator itself fared."""
    return Labelled("generator", [generator_line(document)])


def generator_line(document: ResultDocument) -> Text:
    """The generator's health on one line; what is wrong is coloured."""
    found, workers = document.generator, document.run.workers
    troubles = set(found.reasons)
    line = Text(f"{workers} {'worker' if workers == 1 else 'workers'} · ")
    line.append(f"CPU up to {cpu_text(found.cpu_max)}", "yellow" if "generator_saturated" in troubles else "")
    if found.throttled_max > THROTTLED_SHARE:
        line.append(f", its quota used up for {cpu_text(found.throttled_max)} of a second", "yellow")
    line.append(" · ")
    line.append(f"loop lag p99 {ms_text(found.loop_lag_p99_ms)} ms", "yellow" if "loop_stalled" in troubles else "")
    line.append(f" · GC {ms_text(found.gc_pause_max_ms)} ms · {count_text(found.fds_max)} fds · {found.clock} clock")
    if found.window_limited:
        line.append(f" · {count_text(found.window_limited)} responses waited for the receive window")
    if found.output_lost:
        line.append(f" · {count_text(found.output_lost)} lines of output lost", "yellow")
    return line


def verdict_section(document: ResultDocument) -> RenderableType:
    """The verdict, and every reason for a caveat."""
    verdict = document.verdict
    head = Text(STATE_TEXTS[verdict.state], style=STATE_STYLES[verdict.state])
    return Labelled("verdict", [head, *map(_reason, verdict.reasons)])


def _reason(reason: Reason) -> Text:
    line = Text(reason.code.value, style="yellow")
    if reason.from_s is not None and reason.to_s is not None and reason.from_s != reason.to_s:
        line.append(f" {seconds_text(reason.from_s)} – {seconds_text(reason.to_s)}", "dim")
    return Text.assemble(line, f": {visible(reason.text)}")
