"""Which loads a run has: those of the options that plan one, or else those of the script's classes or of its shape.

`-u` with `-r`, `--rate`, `--stage`, `--rate-stage` and `--iterations` each plan the whole load, for all classes
together, and replace every `load` of the script. Two of them contradict each other, unless they come from different
sources: then the stronger one holds, so that a flag replaces what a config file plans.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from swell.cli import options
from swell.cli.opening import Opened
from swell.cli.option import Option
from swell.cli.settings import Settings
from swell.cli.values import Stage
from swell.errors import Problem
from swell.load_plan import (
    MOST_ARRIVALS_PER_S,
    MOST_LEGS,
    Closed,
    Curve,
    Iterations,
    Leg,
    Load,
    Model,
    Open,
    Spread,
    room_for,
    spawned,
)
from swell.plan import LONGEST_S, MOST_USERS, Scenario, ShapeOptions, default_spawn_rate_per_s, spawn_problems

if TYPE_CHECKING:
    from swell.script.loader import LoadedScript
    from swell.script.shape import LoadTestShape

MODELS: tuple[Option[object], ...] = (
    *(options.RATE, options.RATE_STAGE, options.STAGE, options.ITERATIONS, options.SPAWN_RATE),
)
"""Those that plan the whole load by themselves."""
WITH_USERS: tuple[Option[object], ...] = (*(options.RATE, options.RATE_STAGE, options.ITERATIONS, options.SPAWN_RATE),)
"""Those beside which --users has a meaning."""
OF_ARRIVALS: tuple[Option[object], ...] = (options.MAX_USERS, options.RATE_SPREAD)


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """The loads of a run, its scenarios, what is wrong with either, and what may not be meant."""

    loads: tuple[Load, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()
    shape: str = ""
    """What asks for the users of these loads as the run goes on."""
    shape_options: ShapeOptions | None = None


def planned(opened: Opened) -> Planned:
    """The loads that options or script plan. Reads the logs that the script's loads name."""
    settings, script = opened.settings, opened.script
    scenarios = script.scenarios if script else ()
    chosen, problems = _chosen(settings)
    is_given = chosen is not None or settings.is_given(options.USERS)
    if chosen not in (options.RATE, options.RATE_STAGE) and not opened.problems:
        problems += _without_arrivals(settings)
    shape = script.shape if script else None
    if script and shape and (not is_given or (shape.use_common_options and chosen in (None, options.SPAWN_RATE))):
        return _of_shape(shape, script, settings, problems)
    read = script.read_loads() if script and not is_given else None
    if read is not None and (read.loads or read.problems):
        own = tuple(msgspec.structs.replace(scenario, weight=1.0, fixed_count=0) for scenario in scenarios)
        return Planned(read.loads, own, (*problems, *read.problems), read.notices)
    model, faults = _Reader(settings, scenarios, chosen).model()
    problems += faults
    loads = (Load(model=model, scenarios=tuple(scenario.name for scenario in scenarios)),) if model else ()
    replacing = settings.place(chosen or options.USERS)
    notices = (f"{replacing} replaces the shape {shape.__name__}: it is not asked",) if shape else ()
    return Planned(() if problems else loads, scenarios, tuple(problems), notices)


def _of_shape(shape: type[LoadTestShape], script: LoadedScript, settings: Settings, problems: list[Problem]) -> Planned:
    """A load for each class, without users until the shape asks for some."""
    having = script.having_loads()
    if having:
        what = f"the shape {shape.__name__} says how many users there are, and so does the load of {', '.join(having)}"
        problems.append(Problem(what, f"{having[0]}.load", "keep one of them"))
    curve = Curve(endless=True)
    loads = tuple(Load(model=Closed(curve), scenarios=(scenario.name,)) for scenario in script.scenarios)
    given = None
    if shape.use_common_options:
        users = settings[options.USERS] if settings.is_given(options.USERS) else None
        given = ShapeOptions(users, settings[options.SPAWN_RATE], settings[options.RUN_TIME])
    return Planned(() if problems else loads, script.scenarios, tuple(problems), (), shape.__name__, given)


def _chosen(settings: Settings) -> tuple[Option[object] | None, list[Problem]]:
    """The option that plans the load, of the strongest source; and those of the same source that contradict it."""
    given = [option for option in MODELS if settings.is_given(option)]
    if not given:
        return None, []
    strongest = min(map(settings.rank, given))
    users_rank = settings.rank(options.USERS) if settings.is_given(options.USERS) else None
    if users_rank is not None and users_rank < strongest:
        return (options.SPAWN_RATE if options.SPAWN_RATE in given else None), []
    equals = [option for option in given if settings.rank(option) == strongest]
    chosen = equals[0]
    clashing = equals[1:]
    if users_rank == strongest and chosen not in WITH_USERS:
        clashing.append(options.USERS)
    first = settings.place(chosen)
    return chosen, [
        Problem(f"cannot be given with {first}: each says how much load there is", option.flag, "leave one out")
        for option in clashing
    ]


def _without_arrivals(settings: Settings) -> list[Problem]:
    """What is given for arrivals where there are none; from a config file, it waits for a --rate."""
    return [
        Problem(f"is for {options.RATE.flag} and {options.RATE_STAGE.flag}, and neither is given", option.flag)
        for option in OF_ARRIVALS
        if settings.is_given(option) and settings.rank(option) == 0
    ]


class _Reader:
    """Makes a model of the options that plan one."""

    def __init__(self, settings: Settings, scenarios: Sequence[Scenario], chosen: Option[object] | None) -> None:
        self._settings = settings
        self._chosen = chosen
        fixed = [scenario.fixed_count for scenario in scenarios]
        self._fixed = sum(fixed) if fixed and all(fixed) else None
        """Where every class has a fixed count, there are no other users."""
        self._problems: list[Problem] = []

    def model(self) -> tuple[Model | None, list[Problem]]:
        """The model, or what is wrong with the options."""
        match self._chosen:
            case options.RATE:
                made: Model | None = self._open(self._rate())
            case options.RATE_STAGE:
                stages = self._settings[options.RATE_STAGE]
                made = self._open(self._curve(options.RATE_STAGE, stages, MOST_ARRIVALS_PER_S, "a rate"))
            case options.STAGE:
                curve = self._curve(options.STAGE, self._settings[options.STAGE], MOST_USERS, "a number of users")
                made = Closed(self._capped_curve(curve))
            case options.ITERATIONS:
                made = self._iterations()
            case _:
                made = self._spawned()
        return (None, self._problems) if self._problems else (made, [])

    def _spawned(self) -> Model | None:
        users, rate_per_s = self._capped(self._settings[options.USERS]), self._settings[options.SPAWN_RATE]
        rate_per_s = default_spawn_rate_per_s(users) if rate_per_s is None else rate_per_s
        self._problems += spawn_problems(users, rate_per_s)
        return None if self._problems else spawned(users, rate_per_s, ()).model

    def _iterations(self) -> Model:
        total = self._settings[options.ITERATIONS] or 0
        self._check_range(options.ITERATIONS, total, 1, MOST_USERS * MOST_USERS)
        users = self._capped(self._users(default=1, least=1))
        return Iterations(users, total=total)

    def _open(self, curve: Curve) -> Model:
        users = self._capped(self._users(default=0, least=0))
        most = self._settings[options.MAX_USERS]
        if most is not None:
            self._check_range(options.MAX_USERS, most, 1, MOST_USERS)
            if 0 < most < users:
                what = f"{users:,} users are more than the {most:,} of {self._settings.place(options.MAX_USERS)}"
                self._problems.append(Problem(what, options.USERS.flag))
        room = max(room_for(curve), users) if most is None else most
        return Open(curve, self._capped(room), users, Spread(self._settings[options.RATE_SPREAD]))

    def _rate(self) -> Curve:
        rate = self._settings[options.RATE] or 0.0
        if not 0 < rate <= MOST_ARRIVALS_PER_S:
            what = f"{rate:,.15g}/s is not a rate over 0/s and up to {MOST_ARRIVALS_PER_S:,}/s"
            self._problems.append(Problem(what, options.RATE.flag))
            return Curve()
        return Curve((Leg(0.0, rate, rate),), endless=True)

    def _curve(self, option: Option[object], stages: Sequence[Stage], most: float, what: str) -> Curve:
        """The legs of stages, each of which ramps from the level before to its own."""
        level, legs = 0.0, []
        for stage in stages:
            if not 0 <= stage.over_s <= LONGEST_S:
                fault = f"{stage.over_s:g} s is not a time of 0 s or more, and up to ten years"
                self._problems.append(Problem(fault, option.flag))
            elif not 0 <= stage.to <= most:
                self._problems.append(Problem(f"{stage.to:,.15g} is not {what} from 0 to {most:,}", option.flag))
            elif stage.over_s:
                legs.append(Leg(stage.over_s, level, stage.to))
            level = stage.to
        curve = Curve(tuple(legs))
        if self._problems:
            return Curve()
        if not curve.highest or curve.duration_s > LONGEST_S or len(legs) > MOST_LEGS:
            fault = "plans no load at all" if not curve.highest else "plans more than ten years, or 10,000 stages"
            self._problems.append(
                Problem(fault, option.flag, f"for example {option.flag} 2m:1000 {option.flag} 10m:1000")
            )
        return curve

    def _users(self, default: int, least: int) -> int:
        """What --users says beside the option that plans the load; nothing where a weaker source says it."""
        settings, chosen = self._settings, self._chosen
        if chosen is None or not settings.is_given(options.USERS):
            return default
        if settings.rank(options.USERS) > settings.rank(chosen):
            return default
        self._check_range(options.USERS, settings[options.USERS], least, MOST_USERS)
        return settings[options.USERS]

    def _check_range(self, option: Option[object], value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            self._problems.append(Problem(f"{value:,} is not a number from {least} to {most:,}", option.flag))

    def _capped(self, users: int) -> int:
        return users if self._fixed is None else min(users, self._fixed)

    def _capped_curve(self, curve: Curve) -> Curve:
        legs = (
            Leg(leg.duration_s, *(self._capped(round(level)) for level in (leg.begin, leg.end))) for leg in curve.legs
        )
        return msgspec.structs.replace(curve, legs=tuple(legs))
