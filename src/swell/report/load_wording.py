"""A plan's load in words: `0 to 2,000 users over 2 min, then 10 min at 2,000 users`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from swell.load_plan import Closed, Curve, Iterations, Load, Open, Sessions, Spread
from swell.report.figures import count_text, seconds_text

MOST_LEGS = 8


def load_text(load: Load) -> str:
    """The load on one line."""
    parts = list(_parts(load))
    if load.start_s:
        parts.append(f"from {seconds_text(load.start_s)} on")
    return "; ".join(parts)


def _parts(load: Load) -> Iterator[str]:
    model = load.model
    if isinstance(model, Closed):
        yield _closed_text(model.curve)
    elif isinstance(model, Iterations):
        yield _iterations_text(model)
    else:
        yield f"{_spread_text(model.spread)} arrivals: {_of_log(model.curve) or _curve_text(model.curve, _arrivals)}"
        yield from _arrival_parts(model)


def _closed_text(curve: Curve) -> str:
    """What -u and -r ask for is said as they do."""
    if curve.endless and len(curve.legs) == 1 and not curve.legs[0].begin:
        (leg,) = curve.legs
        rate = f", started at {leg.end / leg.duration_s:,.4g}/s" if leg.duration_s and leg.end > 1 else ""
        return f"{_users(leg.end)}{rate}"
    return _curve_text(curve, _users)


def _iterations_text(model: Iterations) -> str:
    users = _users(model.users)
    if model.each is not None:
        text = f"{users}, {_count(model.each, 'iteration')} each"
    else:
        text = f"{_count(model.total or 0, 'iteration')}, shared by {users}"
    return text if model.within_s is None else f"{text}, begun within {seconds_text(model.within_s)}"


def _arrival_parts(model: Open | Sessions) -> Iterator[str]:
    if isinstance(model, Sessions):
        if model.iterations is not None:
            yield f"each a new user for {_count(model.iterations, 'iteration')}"
        if model.lives_s is not None:
            yield f"each a new user for {seconds_text(model.lives_s)}"
    elif model.users:
        yield f"{_users(model.users)} ready before the first"
    yield f"at most {_users(model.max_users)}"


def _of_log(curve: Curve) -> str:
    """What is said of a curve that was read from a log; '' of any other."""
    if not curve.source:
        return ""
    arrivals = sum((leg.begin + leg.end) / 2 * leg.duration_s for leg in curve.legs)
    return f"as in {curve.source}, {count_text(round(arrivals))} in {seconds_text(curve.duration_s)}"


def _spread_text(spread: Spread) -> str:
    return "Poisson" if spread is Spread.POISSON else "evenly spaced"


def _curve_text(curve: Curve, level: Callable[[float], str]) -> str:
    """Leg after leg; what is beyond the eighth is only counted."""
    texts, at = [], 0.0
    for leg in curve.legs[:MOST_LEGS]:
        if leg.begin != at:
            texts.append(f"a jump to {level(leg.begin)}")
        if leg.begin == leg.end:
            texts.append(f"{seconds_text(leg.duration_s)} at {level(leg.end)}" if leg.duration_s else "")
        elif leg.duration_s:
            texts.append(f"to {level(leg.end)} over {seconds_text(leg.duration_s)}")
        else:
            texts.append(f"a jump to {level(leg.end)}")
        at = leg.end
    if more := len(curve.legs) - MOST_LEGS:
        texts.append(f"and {more:,} legs more" if more > 0 else "")
    if curve.endless and curve.legs:
        texts.append("and so on")
    return ", ".join(text for text in texts if text) or level(0)


def _users(users: float) -> str:
    return f"{count_text(round(users))} {'user' if round(users) == 1 else 'users'}"


def _arrivals(per_s: float) -> str:
    return f"{per_s:,.4g}/s"


def _count(count: int, what: str) -> str:
    return f"{count_text(count)} {what if count == 1 else what + 's'}"
