"""Problems: something raised that needs solving, and how constructively it was answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.making import made
from schemas.rows import METHOD_VERSION, UNSAID, ProblemRow
from schemas.vocabulary import CONSTRUCTIVE, UNCONSTRUCTIVE
from streams.inference.acts import Act, Raising, Response
from streams.inference.due import joint_due
from streams.inference.exchanges import addressed
from streams.inference.timeline import Timeline

_NAMED = set(ProblemRow.model_fields) - UNSAID
_INFORM, _BLAME, _REFUSE = frozenset({"inform"}), frozenset({"blame"}), frozenset({"refuse"})


class ProblemEpisode:
    """One problem. `answers` are those by humans of the addressed roles, `responses` those of them until `respond_by`.

    `answered_redirects` are redirects whose new addressee answered in time: neutral. A redirect that led nowhere is no
    answer.
    """

    __slots__ = ("acts", "answered_redirects", "answers", "parts", "raised", "respond_by", "responses", "to_roles")

    def __init__(
        self, raised: Raising, to_roles: tuple[str, ...], parts: tuple[int, ...], respond_by: datetime | None
    ) -> None:
        self.raised = raised
        self.to_roles = to_roles
        self.parts = parts
        self.respond_by = respond_by
        self.acts: list[Act] = []
        self.answers: list[Response] = []
        self.responses: list[Response] = []
        self.answered_redirects: list[Response] = []

    def count(self, kinds: frozenset[str]) -> int:
        """How many responses were of these kinds."""
        return len([response for response in self.responses if response.response in kinds])

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
        resolved = [act.time for act in self.acts if act.kind == "resolved"]
        values: dict[str, Any] = {
            "event_ids": line.refs(raised, self.acts),
            "policy_version": line.policy.version,
            "method_version": METHOD_VERSION,
            "revision": 0,
            "is_deleted": 0,
            "run": run,
            "process": line.process,
            "site": raised.site,
            "work_item": line.work_item,
            "episode_id": raised.ref,
            "problem_id": raised.problem_id,
            "from_role": raised.role,
            "to_roles": self.to_roles,
            "raised_at": raised.time,
            "respond_by": self.respond_by,
            "first_response_at": self.answers[0].time if self.answers else None,
            "resolved_at": max(resolved) if resolved else None,
            "reopened": len([act for act in self.acts if act.kind == "reopened"]),
            "constructive": self.count(CONSTRUCTIVE),
            "neutral": self.neutral,
            "blame": self.count(_BLAME),
            "refuse": self.count(_REFUSE),
        }
        return made(ProblemRow, values, _NAMED)


def problems(line: Timeline) -> list[ProblemEpisode]:
    """Every problem of a work item; raising the same `problem_id` again starts nothing."""
    return [_episode(line, raised) for raised in line.problems.values()]


def _episode(line: Timeline, raised: Raising) -> ProblemEpisode:
    to_roles, parts = addressed(raised.to_roles)
    targets = line.policy.process.targets.respond_s
    respond_by = joint_due(raised.time, raised.respond_by, targets, to_roles, line)
    found = ProblemEpisode(raised, to_roles, parts, respond_by)
    found.acts = [act for act in line.problem_acts.get(raised.problem_id, ()) if act.place > raised.place]
    in_time: list[Response] = []
    for act in found.acts:
        if not isinstance(act, Response) or act.human is None:
            continue
        soon, ours = respond_by is None or act.time <= respond_by, act.role in to_roles
        if soon:
            in_time.append(act)
        if ours:
            found.answers.append(act)
            if soon:
                found.responses.append(act)
    redirects = [act for act in found.responses if act.response == "redirect"]
    if redirects:
        last = _last_answers(in_time)
        found.answered_redirects = [act for act in redirects if _answered(act, last)]
    return found


def _last_answers(in_time: Sequence[Response]) -> dict[str, int]:
    """Where in the order each role last gave an answer that is not just another redirect."""
    return {act.role: act.place for act in in_time if act.response != "redirect"}


def _answered(redirect: Response, last: dict[str, int]) -> bool:
    """Whether a role that the redirect named (or any other, if it named none) then answered."""
    named = set(redirect.to_roles) or {by for by in last if by != redirect.role}
    return any(by in last and last[by] > redirect.place for by in named)
