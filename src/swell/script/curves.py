"""The parts of a load's curve as a script writes them: `ramp`, `hold`, `jump`, `steps`, `from_log`.

A curve begins at 0. Each part goes on from the level that the part before it ended at.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swell.load.exact import exact
from swell.load_plan import MOST_ARRIVALS_PER_S, MOST_LEGS, Curve, Leg
from swell.plan import LONGEST_S
from swell.quantities import shown
from swell.script.arguments import Reading, Written

if TYPE_CHECKING:
    from swell.load.access_log import AccessLog

EXAMPLE = 'users(ramp(to=50, over="1m"), hold("10m"))'


class Drawing:
    """A curve that is being drawn, part by part."""

    def __init__(self, reading: Reading, folder: Path, *, of_users: bool) -> None:
        self.reading = reading
        self.folder = folder
        """Where files of the script are looked for."""
        self.of_users = of_users
        """Levels are numbers of users, not rates."""
        self.level = 0.0
        self.legs: list[Leg] = []
        self.source = ""
        self.is_endless = False

    def read_level(self, written: Written, name: str, value: object) -> float:
        """A level that a part names."""
        if self.of_users:
            return float(self.reading.count(written, name, value, least=0))
        return self.reading.rate_per_s(written, name, value)

    def go(self, to: float, over_s: float) -> None:
        """Go on to another level, or stay; without a time, at once."""
        if over_s:
            self.legs.append(Leg(over_s, self.level, to))
        self.level = to

    def curve(self) -> Curve:
        """What has been drawn."""
        if self.is_endless:
            self.legs.append(Leg(0.0, self.level, self.level))
        return Curve(tuple(self.legs), self.is_endless, self.source)


class Segment(Written, ABC):
    """A part of a curve."""

    @abstractmethod
    def draw(self, on: Drawing) -> None:
        """Go on with the curve, or note what is wrong with this part."""


class Ramp(Segment):
    """Evenly from here to another level."""

    def __init__(self, to: object, over: object) -> None:
        super().__init__("ramp", to=to, over=over)
        self._to, self._over = to, over

    def draw(self, on: Drawing) -> None:
        on.go(on.read_level(self, "to", self._to), on.reading.duration_s(self, "over", self._over))


class Hold(Segment):
    """The same level for a time, or without end."""

    def __init__(self, for_: object) -> None:
        super().__init__("hold", (for_,) if for_ is not None else ())
        self._for = for_

    def draw(self, on: Drawing) -> None:
        if self._for is None:
            on.is_endless = True
        else:
            on.go(on.level, on.reading.duration_s(self, "for_", self._for))


class Jump(Segment):
    """To another level at once."""

    def __init__(self, to: object) -> None:
        super().__init__("jump", to=to)
        self._to = to

    def draw(self, on: Drawing) -> None:
        on.go(on.read_level(self, "to", self._to), 0.0)


class Steps(Segment):
    """By equal jumps to another level, each held for a time."""

    def __init__(self, to: object, by: object, every: object) -> None:
        super().__init__("steps", to=to, by=by, every=every)
        self._to, self._by, self._every = to, by, every

    def draw(self, on: Drawing) -> None:
        before = len(on.reading.problems)
        to, by = on.read_level(self, "to", self._to), on.read_level(self, "by", self._by)
        every_s = on.reading.duration_s(self, "every", self._every)
        if len(on.reading.problems) > before:
            return
        if not by or not every_s:
            on.reading.fault(self, f"{'every' if by else 'by'}: must be more than 0")
            return
        first, rise, each = exact(on.level), exact(to) - exact(on.level), exact(by)
        count = ceil(abs(rise) / each)
        if count > MOST_LEGS:
            on.reading.fault(self, f"has {count:,} steps; at most {MOST_LEGS:,} can be planned")
            return
        for step in range(1, count + 1):
            on.go(to if step == count else float(first + step * (each if rise > 0 else -each)), 0.0)
            on.go(on.level, every_s)


class FromLog(Segment):
    """The arrivals of an access log."""

    def __init__(self, path: object, scale: object, speed: object) -> None:
        super().__init__("from_log", (path,), scale=None if scale == 1 else scale, speed=None if speed == 1 else speed)
        self._path, self._scale, self._speed = path, scale, speed

    def draw(self, on: Drawing) -> None:
        before = len(on.reading.problems)
        scale = on.reading.factor(self, "scale", self._scale)
        speed = on.reading.factor(self, "speed", self._speed)
        if on.of_users:
            on.reading.fault(self, "a log has arrivals, not users", "write arrivals(from_log(...))")
        elif not isinstance(self._path, str | os.PathLike):
            on.reading.fault(self, f"{shown(self._path)} is not the path of a log")
        elif len(on.reading.problems) == before:
            self._draw_log(on, os.fspath(self._path), scale, speed)

    def _draw_log(self, on: Drawing, path: str, scale: float, speed: float) -> None:
        from swell.script.log_file import LogFault, read_log_file

        try:
            log = read_log_file(path, on.folder)
        except LogFault as fault:
            on.reading.fault(self, str(fault), fault.hint)
            return
        curve = log.curve(scale, speed)
        if curve.highest > MOST_ARRIVALS_PER_S or curve.duration_s > LONGEST_S:
            most = f"{curve.highest:,.0f} arrivals/s and {curve.duration_s:,.0f} s"
            on.reading.fault(
                self, f"comes to {most}", f"at most {MOST_ARRIVALS_PER_S:,}/s for ten years can be planned"
            )
            return
        on.reading.notices += _log_notices(path, log)
        on.legs += curve.legs
        on.level = curve.legs[-1].end
        on.source = os.path.basename(path)


def _log_notices(path: str, log: AccessLog) -> list[str]:
    notices = []
    if log.first_unparsed:
        line, text = log.first_unparsed
        lines = "1 line says no time and is" if log.unparsed == 1 else f"{log.unparsed:,} lines say no time and are"
        notices.append(f"{path}: {lines} left out; the first is line {line:,}: {text}")
    if log.bin_s > 1:
        notices.append(f"{path} spans {len(log.counts) * log.bin_s:,} s: its requests are counted by {log.bin_s:,} s")
    return notices


def read_curve(segments: Sequence[object], written: Written, drawing: Drawing) -> Curve:
    """The curve that the parts of a call make up; what is wrong with them is noted."""
    reading = drawing.reading
    before = len(reading.problems)
    for number, segment in enumerate(segments, 1):
        if not isinstance(segment, Segment):
            hint = "jump(to), hold(for_), ramp(to, over), steps(to, by, every) and from_log(path) are"
            reading.fault(written, f"{shown(segment)} is no part of a curve", hint)
            continue
        if drawing.is_endless:
            reading.fault(written, f"part {number} comes behind a hold() without end")
            break
        segment.draw(drawing)
    curve = drawing.curve()
    if len(reading.problems) == before:
        _check(curve, written, drawing)
    return curve


def _check(curve: Curve, written: Written, drawing: Drawing) -> None:
    """Note what is wrong with a curve whose parts are all right."""
    what = "users" if drawing.of_users else "arrivals"
    if not curve.legs and not drawing.level:
        drawing.reading.fault(written, "has no curve", f"for example {EXAMPLE}")
    elif not curve.highest and not drawing.level:
        hint = 'a curve begins at 0: write jump(to) or ramp(to, over) before hold("10m")'
        drawing.reading.fault(written, f"plans no {what} at all", hint)
    elif not curve.endless and drawing.level != (curve.legs[-1].end if curve.legs else 0):
        drawing.reading.fault(written, "ends with a jump, which takes no time", 'put hold("10m") behind it')
    elif len(curve.legs) > MOST_LEGS:
        drawing.reading.fault(written, f"has {len(curve.legs):,} parts; at most {MOST_LEGS:,} can be planned")
    elif curve.duration_s > LONGEST_S:
        drawing.reading.fault(written, f"takes {curve.duration_s:,.0f} s, which is more than ten years")


def ramp(to: Any, over: Any) -> Segment:
    """Go evenly from the level before to `to` within `over`: `ramp(to=2000, over="2m")`."""
    return Ramp(to, over)


def hold(for_: Any = None) -> Segment:
    """Stay at the level for a time: `hold("10m")`; without one, until the run is stopped or cut off by `-t`."""
    return Hold(for_)


def jump(to: Any) -> Segment:
    """Go to `to` at once."""
    return Jump(to)


def steps(to: Any, by: Any, every: Any) -> Segment:
    """Go to `to` by jumps of `by`, staying at each level for `every`: `steps(to=500, by=100, every="1m")`."""
    return Steps(to, by, every)


def from_log(path: Any, scale: Any = 1.0, speed: Any = 1.0) -> Segment:
    """The arrivals of a web server's access log, `scale` times as many, in a time that is `speed` times as short.

    It may be in the common or combined format or in JSON lines, gzipped too. It is looked for beside the script, then
    in the working directory. As a `load`, it stands for `arrivals(from_log(...))`.
    """
    return FromLog(path, scale, speed)
