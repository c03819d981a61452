"""Why the comparison of two runs may not mean what it seems to: they differ in more than what was to be compared, or
one of them is not to be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from swell.document import State, Verdict
from swell.load_plan import Closed, Iterations, Load
from swell.plan import RunPlan
from swell.result import RunResult


def target_of(plan: RunPlan) -> str:
    """The base URLs that a plan's calls go to."""
    hosts = [plan.host] if plan.host else [scenario.host for scenario in plan.scenarios if scenario.host]
    return ", ".join(dict.fromkeys(hosts))


def warnings(base: RunResult, run: RunResult, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What the two runs differ in, and what is wrong with either, each in a sentence without its end."""
    yield from _differences(base.plan, run.plan)
    for which, result, verdict in zip(("base", "run"), (base, run), verdicts, strict=True):
        if result.revisions and not result.plan.shape:
            yield f"the plan of {which} was changed while it ran"
        if verdict.state is not State.VALID:
            codes = ", ".join(dict.fromkeys(reason.code.value for reason in verdict.reasons))
            yield f"{which} is {verdict.state.value}: {codes}"


def _differences(base: RunPlan, run: RunPlan) -> Iterator[str]:
    for what, one, other in (
        ("target", target_of(base), target_of(run)),
        ("script", base.script, run.script),
        ("load", _loads(base), _loads(run)),
        ("run time", _seconds(base.run_time_s), _seconds(run.run_time_s)),
        ("user classes", _classes(base), _classes(run)),
        ("tags", _words(base.tags), _words(run.tags)),
        ("excluded tags", _words(base.exclude_tags), _words(run.exclude_tags)),
        ("the script's own options", _words(base.script_arguments), _words(run.script_arguments)),
        ("workers", str(base.workers), str(run.workers)),
    ):
        if one != other:
            yield f"{what}: {one or 'none'} → {other or 'none'}"
    if _loads(base) == _loads(run) and base.loads != run.loads:
        yield "load: the same in number and length, not in its course"


def _loads(plan: RunPlan) -> str:
    return f"users planned by {plan.shape}" if plan.shape else ", ".join(map(_load, plan.loads))


def _load(load: Load) -> str:
    model = load.model
    if isinstance(model, Iterations):
        count = f"{model.total:,} iterations" if model.total is not None else f"{model.each or 0:,} iterations each"
        return f"{count}, {model.users:,} users"
    curve = model.curve
    length = "" if curve.endless else f" for {curve.duration_s:g} s"
    unit = "users" if isinstance(model, Closed) else "arrivals/s"
    return f"{curve.highest:,g} {unit}{length}"


def _classes(plan: RunPlan) -> str:
    return _words([f"{scenario.name} ({scenario.weight:g})" for scenario in plan.scenarios])


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g} s"


def _words(words: list[str] | tuple[str, ...]) -> str:
    return ", ".join(words)
