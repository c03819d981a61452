"""Which of a run's series, or scenarios, a threshold is about."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Iterator

from swell.errors import Problem
from swell.plan import RunPlan
from swell.result import RunResult, Series
from swell.segment import MEASURES_FROM, Sort
from swell.stats.thresholds.expression import OF_SCENARIOS, Selector, Threshold

MOST_NAMED = 3
LONGEST_NAME = 60


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """What was found. `missing` says why there is nothing, and what is named like it."""

    numbers: frozenset[int] | None = None
    """Series, or measures, by their numbers; None: every call."""
    scenarios: frozenset[str] | None = None
    """Scenarios by their names; None: all."""
    missing: str = ""


EVERYTHING = Choice()


def choose(threshold: Threshold, result: RunResult) -> Choice:
    """What a threshold is about, in a run as far as it has come."""
    selector, measure = threshold.selector, threshold.metric.measure
    known = _scenarios(result)
    if threshold.metric.figure in OF_SCENARIOS:
        return _of_scenario(selector, known)
    if measure is None and selector is None:
        return EVERYTHING
    if measure is not None:
        sort, wanted = measure.sort, measure.name
        numbers = {
            number
            for number, series in _numbered(result.measures, MEASURES_FROM)
            if series.sort is sort and series.name == wanted and (selector is None or series.scenario == selector.text)
        }
        where = f" in {_named(selector.text)}" if selector else ""
        return _found(numbers, f"{sort.name.lower()} {_named(wanted)}{where}", wanted, _names(result.measures, sort))
    assert selector is not None
    return _of_calls(selector, known, result)


def problems(threshold: Threshold, plan: RunPlan, where: str) -> Iterator[Problem]:
    """What the plan alone shows to be wrong with a threshold."""
    known = [scenario.name for scenario in plan.scenarios]
    selector, figure = threshold.selector, threshold.metric.figure
    of_scenario = figure in OF_SCENARIOS or threshold.metric.measure is not None
    if selector and of_scenario and known and selector.text not in known:
        what = (
            f"{threshold}: `{threshold.metric}` is known of whole scenarios, and none is called {_named(selector.text)}"
        )
        yield Problem(what, where, _likely(selector.text, known))
    if threshold.limit.of_baseline and not plan.baseline:
        yield Problem(f"{threshold}: there is no baseline", where, "name a stored run with --baseline RUN")


def _of_scenario(selector: Selector | None, known: list[str]) -> Choice:
    if selector is None:
        return EVERYTHING
    if selector.text in known:
        return Choice(scenarios=frozenset((selector.text,)))
    return Choice(missing=f"no scenario is called {_named(selector.text)}{_comma(_likely(selector.text, known))}")


def _of_calls(selector: Selector, known: list[str], result: RunResult) -> Choice:
    """A scenario by its name goes first; otherwise all series that are called so; of these those with the tags."""
    text = selector.text
    if selector.transaction:
        found = {
            number
            for number, series in _numbered(result.measures, MEASURES_FROM)
            if series.sort is Sort.TRANSACTION and text in (series.name, f"{series.scenario}: {series.name}")
        }
        return _found(found, f"transaction {_named(text)}", text, _names(result.measures, Sort.TRANSACTION))
    named = {number: series for number, series in _numbered(result.series) if _is_meant(series, selector, known)}
    if selector.tags is None and text in known:
        return Choice(frozenset(named))
    if selector.tags is None or not named:
        return _found(set(named), f"call {_named(text)}", text, [*known, *_call_names(result)])
    numbers = {number for number, series in named.items() if selector.tags.are_in(series.tags)}
    return _found(numbers, f"call with {selector}", str(selector.tags), _tags_of(named.values()))


def _is_meant(series: Series, selector: Selector, known: list[str]) -> bool:
    """Whether its name is that of the selector; tags alone are of any."""
    if selector.tags is not None and not selector.text:
        return True
    return series.scenario == selector.text if selector.text in known else selector.text in _labels(series)


def _found(numbers: set[int], what: str, text: str, known: Iterable[str]) -> Choice:
    if numbers:
        return Choice(frozenset(numbers))
    return Choice(missing=f"there was no {what}{_comma(_likely(text, known))}")


def _numbered(series: tuple[Series, ...], first: int = 0) -> Iterator[tuple[int, Series]]:
    """Series with their numbers; what lies beyond the cap has no name."""
    return ((first + place, named) for place, named in enumerate(series) if place)


def _labels(series: Series) -> tuple[str, ...]:
    """All that a series answers to."""
    called = f"{series.method} {series.name}"
    return series.name, called, f"{series.scenario}: {series.name}", f"{series.scenario}: {called}"


def _tags_of(series: Iterable[Series]) -> list[str]:
    return [f"[{named.tags}]" for named in series if named.tags]


def _scenarios(result: RunResult) -> list[str]:
    return [scenario.name for scenario in result.plan.scenarios]


def _names(series: tuple[Series, ...], sort: Sort) -> list[str]:
    return [named.name for named in series[1:] if named.sort is sort]


def _call_names(result: RunResult) -> list[str]:
    return [f"{series.method} {series.name}" for series in result.series[1:]]


def _likely(text: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or which names there are; '' where there is none."""
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(text[:LONGEST_NAME], [name[:LONGEST_NAME] for name in names], n=1)
    if close:
        return f"did you mean {_named(close[0])}?"
    more = ", ..." if len(names) > MOST_NAMED else ""
    return f"there are {', '.join(map(_named, names[:MOST_NAMED]))}{more}" if names else ""


def _comma(text: str) -> str:
    return f"; {text}" if text else ""


def _named(text: str) -> str:
    short = text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
    return f'"{short}"'
