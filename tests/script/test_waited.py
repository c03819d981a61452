"""The time in which at least one call was under way, against a set of instants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.script import waited
from swell.script.waited import Waited

stretches = st.lists(st.tuples(st.integers(0, 60), st.integers(-3, 25)), max_size=30)


def waited_for(found: list[tuple[int, int]]) -> int:
    made = Waited()
    for begin_ns, length_ns in found:
        made.add(begin_ns, begin_ns + length_ns)
    return made.total_ns


@given(stretches)
def test_every_instant_counts_once_in_whatever_order_calls_end(found: list[tuple[int, int]]) -> None:
    instants = {instant for begin, length in found for instant in range(begin, begin + length)}
    assert waited_for(found) == len(instants)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=200))
def test_calls_one_after_another_add_up_however_many_they_are(found: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waited, "SPANS_KEPT", 5)
        now_ns, one_after_another = 0, []
        for length_ns, pause_ns in found:
            one_after_another.append((now_ns, length_ns))
            now_ns += length_ns + pause_ns
        assert waited_for(one_after_another) == sum(length_ns for length_ns, _ in found)


@given(stretches)
def test_no_instant_counts_twice_when_early_ones_are_settled(found: list[tuple[int, int]]) -> None:
    instants = {instant for begin, length in found for instant in range(begin, begin + length)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waited, "SPANS_KEPT", 2)
        assert waited_for(found) <= len(instants)
        if found:
            assert waited_for(found) >= max(length_ns for _, length_ns in found[:1])
