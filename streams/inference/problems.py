"""Problems: something raised that needs solving, and how constructively it was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.events import ProblemRaised, ProblemReopened, ProblemResolved, ProblemResponded
from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, ProblemRow
from schemas.vocabulary import CONSTRUCTIVE, UNCONSTRUCTIVE
from streams.inference.due import joint_due
from streams.inference.exchanges import addressed
from streams.inference.timeline import ProblemAct, Timeline, human_of

_NAMED = set(ProblemRow.model_fields) - UNSAID
_INFORM, _BLAME, _REFUSE = frozenset({"inform"}), frozenset({"blame"}), frozenset({"refuse"})


@dataclass(slots=True)
class ProblemEpisode:
    """One problem. `answers` are those by humans of the addressed roles, `responses` those of them until `respond_by`.

    `answered_redirects` are redirects whose new addressee answered in time: neutral. A redirect that led nowhere is no
    answer.
    """

    raised: ProblemRaised
    from_role: str
    to_roles: tuple[str, ...]
    parts: tuple[int, ...]
    respond_by: datetime | None
    answers: tuple[ProblemResponded, ...]
    responses: tuple[ProblemResponded, ...]
    answered_redirects: tuple[ProblemResponded, ...]
    acts: tuple[ProblemAct, ...]

    def count(self, kinds: frozenset[str]) -> int:
        """How many responses were of these kinds."""
        return len([response for response in self.responses if response.data.kind in kinds])

    @property
    def neutral(self) -> int:
        return self.count(_INFORM) + len(self.answered_redirects)

    def value(self) -> float | None:
        """0 unanswered; constructive ÷ (constructive + blame + refuse); None where every answer was neutral."""
        constructive, unconstructive = self.count(CONSTRUCTIVE), self.count(UNCONSTRUCTIVE)
        if constructive + unconstructive == 0:
            return None if self.neutral else 0.0
        return constructive / (constructive + unconstructive)

    def row(self, run: str, line: Timeline) -> ProblemRow:
        """As a row of `problems`."""
        raised = self.raised
        resolved = [act.time for act in self.acts if isinstance(act, ProblemResolved)]
        values = {
            "run": run,
            "process": raised.process,
            "site": raised.site,
            "work_item": raised.subject,
            "episode_id": line.ref(raised),
            "event_ids": line.refs(raised, self.acts),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "problem_id": raised.data.problem_id,
            "from_role": self.from_role,
            "to_roles": self.to_roles,
            "raised_at": raised.time,
            "respond_by": self.respond_by,
            "first_response_at": self.answers[0].time if self.answers else None,
            "resolved_at": max(resolved, default=None),
            "reopened": sum(isinstance(act, ProblemReopened) for act in self.acts),
            "constructive": self.count(CONSTRUCTIVE),
            "neutral": self.neutral,
            "blame": self.count(_BLAME),
            "refuse": self.count(_REFUSE),
        }
        return made(ProblemRow, values, _NAMED)


def problems(line: Timeline) -> list[ProblemEpisode]:
    """Every problem of a work item; raising the same `problem_id` again starts nothing."""
    return [_episode(line, raisings[0]) for raisings in line.problems.values()]


def _episode(line: Timeline, raised: ProblemRaised) -> ProblemEpisode:
    to_roles, parts = addressed(line, raised.data.to_roles)
    targets = line.policy.process.targets.respond_s
    respond_by = joint_due(raised.time, raised.data.respond_by, targets, to_roles, line.policy, line.pauses)
    after = line.place(raised)
    acts = tuple([act for act in line.problem_acts.get(raised.data.problem_id, ()) if line.place(act) > after])
    by_humans = [act for act in acts if isinstance(act, ProblemResponded) and human_of(act) is not None]
    in_time = [act for act in by_humans if respond_by is None or act.time <= respond_by]
    responses = tuple(act for act in in_time if line.policy.role(act.data.role) in to_roles)
    last = _last_answers(line, in_time)
    return ProblemEpisode(
        raised=raised,
        from_role=line.policy.role(raised.data.role),
        to_roles=to_roles,
        parts=parts,
        respond_by=respond_by,
        answers=tuple(act for act in by_humans if line.policy.role(act.data.role) in to_roles),
        responses=responses,
        answered_redirects=tuple(
            act for act in responses if act.data.kind == "redirect" and _answered(line, act, last)
        ),
        acts=acts,
    )


def _last_answers(line: Timeline, in_time: list[ProblemResponded]) -> dict[str, int]:
    """Where in the order each role last gave an answer that is not just another redirect."""
    return {line.policy.role(act.data.role): line.place(act) for act in in_time if act.data.kind != "redirect"}


def _answered(line: Timeline, redirect: ProblemResponded, last: dict[str, int]) -> bool:
    """Whether a role that the redirect named (or any other, if it named none) then answered."""
    role = line.policy.role
    named = {role(name) for name in redirect.data.to_roles} or last.keys() - {role(redirect.data.role)}
    return any(by in last and last[by] > line.place(redirect) for by in named)
