"""Whose part of the load has been with nobody since it was lost, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from swell.cluster.controller_steps import Command, TakenOver
from swell.cluster.member_state import Member, Membership


@dataclass(slots=True)
class Vacancy:
    """What a lost worker had, and nobody has been seen to hold since."""

    member: Member
    residues: set[int]


class Vacancies:
    """All of a run's. A worker holds what it was given from the pulse on that names those orders."""

    def __init__(self, members: Membership) -> None:
        self._members = members
        self._open: list[Vacancy] = []

    def __repr__(self) -> str:
        return f"<Vacancies: {len(self._open)}>"

    def leave(self, member: Member) -> None:
        """A worker is lost that still has all that it had."""
        residues = set(member.share.residues).union(*(parting.residues for parting in member.partings))
        self._open.append(Vacancy(member, residues))

    def filled(self) -> list[Command]:
        """Those that have come to an end."""
        if not self._open:
            return []
        held = _held(self._members.live)
        over: list[Vacancy] = []
        for vacancy in self._open:
            vacancy.residues -= held
            if not vacancy.residues:
                over.append(vacancy)
        self._open = [vacancy for vacancy in self._open if vacancy.residues]
        return [TakenOver(vacancy.member.worker, vacancy.member.incarnation) for vacancy in over]

    def check(self) -> None:
        """Raise AssertionError if somebody is there who is said to have left a vacancy."""
        assert all(vacancy.member.lost and vacancy.residues for vacancy in self._open)


def _held(members: Iterable[Member]) -> set[int]:
    return {residue for member in members if not member.is_changing for residue in member.share.residues}
