"""Hypothesis strategies: work items that are small, hostile and full of coincidences."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import Policy, PolicyBook
from tests.builders import ALL_RULES, at, event, person

ROLES = ["a", "b", "c", "b2"]
REASONS = ["missing", "wrong", "contradictory", "wrong_role", "capacity", "not_ready", "other"]

roles = st.sampled_from(ROLES)
ids = st.sampled_from(["1", "2"])
minutes = st.integers(0, 40).map(lambda n: n * 15.0)  # few instants, so that times tie
maybe_time = st.one_of(st.none(), minutes.map(at))
actors = st.builds(
    person,
    st.integers(1, 6),
    st.sampled_from(["human", "human", "human", "bot", "unknown"]),
    st.sampled_from(["k1", "k2"]),
)
some_roles = st.lists(roles, min_size=1, max_size=3)
reasons = st.one_of(st.none(), st.sampled_from(REASONS))


def _of(noun_verb: str, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(
        event,
        st.just(noun_verb),
        minutes,
        id=st.integers(0, 60).map(str),  # few ids, so that identities collide with other content
        source=st.sampled_from(["urn:x", "urn:y"]),
        sequence=st.integers(0, 3),
        actor=actors,
        **data,
    )


_act = {"handoff_id": ids, "role": roles}
_offers = _of(
    "handoff.offered",
    handoff_id=ids,
    from_role=roles,
    to_role=roles,
    intent=st.sampled_from(["transfer", "consult"]),
    follows=st.one_of(st.none(), ids),
    urgency=st.sampled_from([None, "high"]),
    due_at=maybe_time,
    needed_at=maybe_time,
    elements=st.one_of(st.none(), st.dictionaries(st.sampled_from(["x", "y"]), st.booleans())),
)
_messages = _of(
    "communication.sent",
    message_id=ids,
    role=roles,
    to_roles=some_roles,
    in_reply_to=st.one_of(st.none(), ids),
    expects_reply=st.booleans(),
    reply_due_at=maybe_time,
)
_ownership = st.one_of(
    _of("work_item.assigned", role=roles),
    _of("work_item.worked", role=roles),
    _of("work_item.paused", reason=st.sampled_from(["patient", "other"]), role=st.one_of(st.none(), roles)),
    _of("work_item.resumed"),
    _of("work_item.closed"),
    _of("work_item.reopened"),
)
any_event: st.SearchStrategy[Event] = st.one_of(
    _offers,
    _of("handoff.accepted", **_act),
    *(_of(f"handoff.{verb}", **_act, reason=reasons) for verb in ("declined", "returned", "withdrawn")),
    *(_of(f"handoff.{verb}", **_act, reason=reasons) for verb in ("clarification_requested", "corrected")),
    _of("handoff.clarified", **_act),
    _of("handoff.read_back", **_act, matches=st.booleans()),
    _ownership,
    _ownership,
    _messages,
    _of("communication.read", message_id=ids, role=roles),
    _of("communication.corrected", message_id=ids, role=roles, reported_by=st.one_of(st.none(), roles)),
    _of("problem.raised", problem_id=ids, role=roles, to_roles=some_roles, respond_by=maybe_time),
    _of(
        "problem.responded",
        problem_id=ids,
        role=roles,
        kind=st.sampled_from(["diagnose", "act", "inform", "redirect", "blame", "refuse"]),
        to_roles=st.lists(roles, max_size=1),
    ),
    _of("problem.resolved", problem_id=ids, role=roles),
    _of("problem.reopened", problem_id=ids, role=roles),
)
work_items: st.SearchStrategy[list[Event]] = st.lists(any_event, min_size=1, max_size=14)
as_ofs = st.integers(0, 200).map(lambda n: at(n * 15.0))

_shifts = {day: ["08:00-12:00", "13:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def _book(targets: dict[str, float], settle_s: float, alias: bool, calendar: bool, routers: list[str]) -> PolicyBook:
    return PolicyBook(
        tuple(
            Policy.model_validate(
                {
                    "version": f"v{number}",
                    "effective_from": start,
                    "aliases": {"b2": "b"} if alias == bool(number) else {},
                    "calendars": {"office": {"zone": "Europe/Berlin", "hours": _shifts}},
                    "processes": {
                        "p": {
                            "observes": [{"source": "*", "rules": ALL_RULES}],
                            "targets": {"accept_s": targets, "reply_s": targets, "respond_s": targets},
                            "calendars": {"b": "office"} if calendar else {},
                            "pauses": {"reasons": ["patient"], "max_s": 5400},
                            "settle_s": settle_s,
                            "contact_band": {"low": 1, "high": 2},
                            "required_elements": ["x", "y"],
                            "routers": routers,
                        }
                    },
                }
            )
            for number, start in enumerate(["2020-01-01T00:00:00Z", at(120).isoformat()])
        )
    )


policy_books = st.builds(
    _book,
    st.sampled_from([{}, {"default": 1800.0}, {"default": 7200.0, "high": 900.0}]),
    st.sampled_from([0.0, 3600.0, 20000.0]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([[], ["c"]]),
)
