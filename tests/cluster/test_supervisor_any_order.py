"""A supervisor whose messages are lost, repeated and late: nobody is started twice, and every end is told."""

from hypothesis import given, settings
from hypothesis import strategies as st

from swell.cluster.messages import Duty, Enlist, Post, Remains
from swell.cluster.supervisor_steps import (
    Command,
    Exit,
    Heard,
    Kill,
    Launch,
    LeaveWanted,
    ProcessEnded,
    Recover,
    Recovered,
    Send,
    Terminate,
    Ticked,
)
from tests.cluster.test_supervisor_state import KILLED, Machine, muster

Name = tuple[int, int]
DUTIES = st.sampled_from(Duty)
POSTS = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(1, 3)), DUTIES, max_size=4)


class Watched:
    """A supervisor, its processes, and what must hold of them."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.launched: list[Name] = []
        self.running: set[Name] = set()
        self.recovering: list[Recover] = []
        self.told: set[Name] = set()
        self.exits = 0
        self.do(self.machine.serving())

    def do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Launch(worker, incarnation):
                    assert (worker, incarnation) not in self.launched, "it is started twice"
                    self.launched.append((worker, incarnation))
                    self.running.add((worker, incarnation))
                case Kill(worker, incarnation):
                    self.end((worker, incarnation))
                case Terminate(worker, incarnation):
                    assert (worker, incarnation) in self.running
                case Recover(worker, incarnation):
                    assert (worker, incarnation) not in self.running, "its files are still written to"
                    self.recovering.append(command)
                case Send(Enlist() as said):
                    self.told.update((end.worker, end.incarnation) for end in said.ended)
                case Exit():
                    self.exits += 1

    def end(self, name: Name) -> None:
        if name in self.running:
            self.running.discard(name)
            self.do(self.machine.after(ProcessEnded(*name, KILLED)))
            is_over = self.exits or self.machine.state.muster is None or self.machine.state.muster.over
            assert is_over or name in self.told or not self.is_posted(name)

    def is_posted(self, name: Name) -> bool:
        known = self.machine.state.muster
        return known is not None and name in {(post.worker, post.incarnation) for post in known.posts}


@settings(max_examples=150)
@given(st.lists(POSTS, max_size=8), st.data())
def test_whatever_comes_in_whatever_order(plans: list[dict[Name, Duty]], data: st.DataObject) -> None:
    watched = Watched()
    musters = [
        muster(number, *(Post(*name, duty) for name, duty in plan.items())) for number, plan in enumerate(plans, 2)
    ]
    musters.append(muster(len(plans) + 2, over=True))
    kinds = st.sampled_from(("hear", "end", "recover", "tick", "leave"))
    for kind in data.draw(st.lists(kinds, max_size=40)):
        match kind:
            case "hear":
                watched.do(watched.machine.after(Heard(data.draw(st.sampled_from(musters)).message)))
            case "end" if watched.running:
                watched.end(data.draw(st.sampled_from(sorted(watched.running))))
            case "recover" if watched.recovering:
                wanted = watched.recovering.pop()
                part = Remains(wanted.worker, wanted.incarnation, (), wanted.applied)
                watched.do(watched.machine.after(Recovered(wanted.worker, wanted.incarnation, (part,))))
            case "leave":
                watched.do(watched.machine.after(LeaveWanted()))
            case _:
                watched.do(watched.machine.after(Ticked(), wait_s=data.draw(st.sampled_from((0.2, 2.5, 20.0)))))
    assert watched.exits <= 1
