"""Numbers as a person reads them: short, of even width, with the digits that mean something and no others."""

from __future__ import annotations

NONE = "–"


def count_text(count: int) -> str:
    """12,345; from ten million on 12.35 M."""
    for least, unit in ((10**13, "T"), (10**10, "G"), (10**7, "M")):
        if count >= least:
            return f"{count / (least / 10):.4g} {unit}"
    return f"{count:,}"


def rate_text(per_s: float) -> str:
    """Per second: 0, 0.52, 9.53, 205.8, 12,346."""
    if per_s == 0:
        return "0"
    if per_s < 10:
        return f"{per_s:.2f}"
    return f"{per_s:.1f}" if per_s < 1_000 else count_text(round(per_s))


def ms_text(ms: float) -> str:
    """Milliseconds without their unit, from 0.012 to 180,000: four digits, of which the last is within the error."""
    if ms == 0:
        return "0"
    if ms < 9.9995:
        return f"{ms:.3f}"
    if ms < 99.995:
        return f"{ms:.2f}"
    return f"{ms:.1f}" if ms < 999.95 else f"{ms:,.0f}"


def value_text(value: float) -> str:
    """A number of no known unit: 17, 0.25, 62.6, 1,234,567, -3.5."""
    if value == int(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e15 else f"{value:.4g}"


def share_text(part: int, whole: int) -> str:
    """A percentage that is 0 or 100 only if it is so."""
    if not part:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.01:
        return "<0.01 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    digits = 2 if percent < 1 else 1 if percent < 100 else 0
    return f"{percent:.{digits}f} %"


def cpu_text(cpu: float) -> str:
    """CPU time over wall time, 1.0 being one whole core."""
    return f"{100 * cpu:.0f} %"


def bytes_text(count: int) -> str:
    """512 B, 1.23 kB, 45.6 MB: powers of a thousand."""
    if count < 1_000:
        return f"{count} B"
    for power, unit in enumerate(("kB", "MB", "GB", "TB"), 1):
        if count < 999.5 * 1_000**power:
            return f"{count / 1_000**power:.3g} {unit}"
    return f"{count / 1e15:.3g} PB"


def clock_text(seconds: float) -> str:
    """A stretch of time as on a clock: 0:07, 12:34, 1:02:03."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3_600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def seconds_text(seconds: float) -> str:
    """An instant or a stretch in words: 0.4 s, 60 s, 12 min 5 s, 3 h 20 min."""
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 3_600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3_600} h" + (f" {whole // 60 % 60} min" if whole // 60 % 60 else "")
