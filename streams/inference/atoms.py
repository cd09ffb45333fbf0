"""Atoms of evidence, which of them may be published, and the figures of ties made from those alone.

The store computes the same in SQL; this is the definition that it is tested against. Nothing but publishable atoms
enters a sum, a prior or a figure; of the others only the share of work in them is told, in steps of 10 %.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

from schemas.policy import ProcessPolicy, Publish
from schemas.rows import EvidenceRow, period_start
from schemas.vocabulary import DIMENSIONS, INFERRED_RULES, RULE_DIMENSION, Period
from streams.inference.estimate import NO_PRIOR, Estimate, Prior, TieSums, estimate, prior, tie_sums

Status = Literal["not observed", "hidden: too few people", "not enough data", "shown"]


class AtomKey(NamedTuple):
    """The smallest piece that quality figures are made of. A `contact` atom is that of an unordered pair of roles."""

    run: str
    process: str
    site: str
    communicator_role: str
    experiencer_role: str
    dimension: str
    origin: str
    period: Period
    period_start: date


class Atom(NamedTuple):
    """What the evidence of one atom adds up to.

    Attributes:
        sums: over ripe evidence only; `sums.items` are distinct work items.
        pending: evidence that is not ripe yet.
        communicator_actors, experiencer_actors: distinct actors with ripe evidence, by key id, the largest count.
        largest_share: of the work items, behind one actor on either side; the busiest of each key id are added up, as
            they may be one person whose key changed.
    """

    sums: TieSums
    pending: int
    communicator_actors: int
    experiencer_actors: int
    largest_share: float
    n_by_rule: dict[str, int]


class Tie(NamedTuple):
    """One directed tie of a process, and what its figures rest on. Explicit and inferred are never pooled."""

    process: str
    origin: str
    communicator_role: str
    experiencer_role: str


class TieFigure(NamedTuple):
    """One dimension of one tie. Everything but `status` and `hidden_share` is None unless shown."""

    status: Status
    n: int | None = None
    pending: int | None = None
    work_items: int | None = None
    n_by_rule: dict[str, int] | None = None
    estimate: Estimate | None = None
    hidden_share: float | None = None


def atoms(evidence: Iterable[EvidenceRow]) -> dict[AtomKey, Atom]:
    """The atoms of these rows, tombstones left out. Independent of the order of the rows."""
    grouped: dict[AtomKey, list[EvidenceRow]] = defaultdict(list)
    for row in evidence:
        if not row.is_deleted:
            grouped[AtomKey(*(getattr(row, field) for field in AtomKey._fields))].append(row)
    return {key: _atom(rows) for key, rows in grouped.items()}


def enough_people(atom: Atom, publish: Publish) -> bool:
    """Enough distinct people on each side, and none behind more than the permitted share."""
    fewest = min(atom.communicator_actors, atom.experiencer_actors)
    return fewest >= publish.min_actors and atom.largest_share <= publish.max_share


def publishable(atom: Atom, publish: Publish) -> bool:
    """Whether the atom may enter anything that is shown."""
    return enough_people(atom, publish) and atom.sums.items >= publish.min_work_items


def priors(found: Mapping[AtomKey, Atom], policies: Mapping[str, ProcessPolicy]) -> dict[tuple[str, str, str], Prior]:
    """(process, dimension, origin) to its prior, over all periods and sites of one run.

    A work item in two atoms of a tie (two sites, two periods) counts in each.
    """
    by_tie: dict[tuple[str, str, str], dict[tuple[str, str], list[TieSums]]] = defaultdict(lambda: defaultdict(list))
    for key, atom in found.items():
        if publishable(atom, _publish(policies, key.process)):
            group = (key.process, key.dimension, key.origin)
            by_tie[group][key.communicator_role, key.experiencer_role].append(atom.sums)
    return {group: prior([_added(parts) for parts in ties.values()]) for group, ties in by_tie.items()}


def tie_figures(
    found: Mapping[AtomKey, Atom],
    named: Collection[Tie],
    policies: Mapping[str, ProcessPolicy],
    start: datetime,
    end: datetime,
    *,
    site: str = "",
) -> dict[tuple[Tie, str], TieFigure]:
    """Every dimension of every tie that is named or has an atom in [start, end), snapped to whole atoms.

    Args:
        found: all atoms of one run; its priors are made from all of them.
        named: ties that handoffs, exchanges and problems of that time name, in one direction or both.
        site: "" is all.
    """
    common = priors(found, policies)
    ties = {direction for tie in named for direction in _both(tie)}
    selected: dict[tuple[Tie, str], list[Atom]] = defaultdict(list)
    for key, atom in found.items():
        if _overlaps(key, start, end) and site in ("", key.site):
            tie = Tie(key.process, key.origin, key.communicator_role, key.experiencer_role)
            ties |= _both(tie)
            for direction in _both(tie) if key.dimension == "frequency" else {tie}:
                selected[direction, key.dimension].append(atom)
    return {
        (tie, dimension): _figure(tie, dimension, selected[tie, dimension], policies, common)
        for tie in ties
        for dimension in DIMENSIONS
    }


def declared(policy: ProcessPolicy, dimension: str, origin: str) -> bool:
    """Whether the process's policy says that a source shows this dimension; ownership logs show two at most."""
    rules = {rule for entry in policy.observes for rule in entry.rules}
    visible = rules & INFERRED_RULES if origin == "inferred" else rules
    return any(RULE_DIMENSION[rule] == dimension for rule in visible)


def _figure(
    tie: Tie,
    dimension: str,
    found: list[Atom],
    policies: Mapping[str, ProcessPolicy],
    common: Mapping[tuple[str, str, str], Prior],
) -> TieFigure:
    policy = policies.get(tie.process, ProcessPolicy())
    shown = [atom for atom in found if publishable(atom, policy.publish)]
    work = sum(int(atom.sums.items) for atom in found)
    open_work = sum(int(atom.sums.items) for atom in shown)
    hidden_share = (20 * (work - open_work) + work) // (2 * work) / 10 if work else None
    if not shown:
        return TieFigure(_why_not(found, policy, dimension, tie.origin), hidden_share=hidden_share)
    sums = _added([atom.sums for atom in shown])
    rules = sum((Counter(atom.n_by_rule) for atom in shown), Counter())
    return TieFigure(
        "shown",
        n=int(sums.n),
        pending=sum(atom.pending for atom in shown),
        work_items=int(sums.items),
        n_by_rule=dict(rules),
        estimate=estimate(common.get((tie.process, dimension, tie.origin), NO_PRIOR), sums.s, sums.n),
        hidden_share=hidden_share,
    )


def _why_not(found: list[Atom], policy: ProcessPolicy, dimension: str, origin: str) -> Status:
    if not found and not declared(policy, dimension, origin):
        return "not observed"
    if any(atom.sums.n > 0 and not enough_people(atom, policy.publish) for atom in found):
        return "hidden: too few people"
    return "not enough data"


def _atom(rows: list[EvidenceRow]) -> Atom:
    ripe = [(row, row.value) for row in rows if row.ripe and row.value is not None]
    sums = tie_sums([(row.work_item, value) for row, value in ripe])
    items_of: dict[str, set[str]] = defaultdict(set)
    for row, _ in ripe:
        for actor in (*row.communicator_actors, *row.experiencer_actors):
            items_of[actor].add(row.work_item)
    busiest: dict[str, int] = defaultdict(int)
    for actor, items in items_of.items():
        busiest[_key_id(actor)] = max(busiest[_key_id(actor)], len(items))
    return Atom(
        sums=sums,
        pending=sum(not row.ripe for row in rows),
        communicator_actors=_people(actor for row, _ in ripe for actor in row.communicator_actors),
        experiencer_actors=_people(actor for row, _ in ripe for actor in row.experiencer_actors),
        largest_share=min(1.0, sum(busiest.values()) / sums.items) if sums.items else 0.0,
        n_by_rule=dict(Counter(row.rule for row, _ in ripe)),
    )


def _people(actors: Iterable[str]) -> int:
    """Never the union: hashes of two keys may be one person."""
    return max(Counter(map(_key_id, set(actors))).values(), default=0)


def _key_id(actor: str) -> str:
    return actor.partition(":")[0]


def _added(parts: list[TieSums]) -> TieSums:
    return TieSums(*(math.fsum(column) for column in zip(*parts, strict=True)))


def _both(tie: Tie) -> set[Tie]:
    return {tie, tie._replace(communicator_role=tie.experiencer_role, experiencer_role=tie.communicator_role)}


def _overlaps(key: AtomKey, start: datetime, end: datetime) -> bool:
    first = datetime(key.period_start.year, key.period_start.month, key.period_start.day, tzinfo=UTC)
    return start < end and period_start(start, key.period) <= key.period_start and first < end


def _publish(policies: Mapping[str, ProcessPolicy], process: str) -> Publish:
    return policies.get(process, ProcessPolicy()).publish
