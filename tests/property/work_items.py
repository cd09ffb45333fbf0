"""Hypothesis strategies: work items that are small, hostile and full of coincidences."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schemas.events import Event
from schemas.policy import Policy, PolicyBook
from tests.builders import ALL_RULES, at, event, person

ROLES = ["a", "b", "c", "b2"]
REASONS = ["missing", "wrong", "contradictory", "wrong_role", "capacity", "not_ready", "other"]

minutes = st.integers(0, 40).map(lambda n: n * 15.0)  # few instants, so that times tie
maybe_time = st.one_of(st.none(), minutes.map(at))
reasons = st.one_of(st.none(), st.sampled_from(REASONS))
responses = st.sampled_from(["diagnose", "propose", "act", "inform", "redirect", "blame", "refuse"])
anyone = st.builds(
    person,
    st.integers(1, 6),
    st.sampled_from(["human", "human", "human", "bot", "unknown"]),
    st.sampled_from(["k1", "k2"]),
)
people = st.builds(person, st.integers(1, 6))


class Pool:
    """What events of one work item are made from: the smaller the pools, the more the events have to do with each
    other; few event ids make identities collide with other content."""

    def __init__(self, roles: list[str], ids: list[str], refs: int, actors: st.SearchStrategy[Any]) -> None:
        self.roles, self.ids = st.sampled_from(roles), st.sampled_from(ids)
        self.some_roles = st.lists(self.roles, min_size=1, max_size=3)
        self.refs, self.actors = refs, actors

    def of(self, noun_verb: str, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
        return st.builds(
            event,
            st.just(noun_verb),
            minutes,
            id=st.integers(0, self.refs).map(str),
            source=st.sampled_from(["urn:x", "urn:y"]),
            sequence=st.integers(0, 3),
            actor=self.actors,
            **data,
        )

    def act(self, verb: str, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
        return self.of(f"handoff.{verb}", handoff_id=self.ids, role=self.roles, **data)

    def handoffs(self) -> st.SearchStrategy[Event]:
        return st.one_of(
            self.of(
                "handoff.offered",
                handoff_id=self.ids,
                from_role=self.roles,
                to_role=self.roles,
                intent=st.sampled_from(["transfer", "transfer", "consult"]),
                follows=st.one_of(st.none(), self.ids),
                urgency=st.sampled_from([None, "high"]),
                due_at=maybe_time,
                needed_at=maybe_time,
                elements=st.one_of(st.none(), st.dictionaries(st.sampled_from(["x", "y"]), st.booleans())),
            ),
            self.act("accepted"),
            self.act("accepted"),
            *(self.act(verb, reason=reasons) for verb in ("declined", "returned", "withdrawn")),
            *(self.act(verb, reason=reasons) for verb in ("clarification_requested", "corrected")),
            self.act("clarified"),
            self.act("read_back", matches=st.booleans()),
            self.of("work_item.worked", role=self.roles),
            self.of("communication.sent", message_id=self.ids, role=self.roles, to_roles=self.some_roles),
        )

    def ownership(self) -> st.SearchStrategy[Event]:
        return st.one_of(
            self.of("work_item.assigned", role=self.roles),
            self.of("work_item.assigned", role=self.roles),
            self.of("work_item.worked", role=self.roles),
            self.of("work_item.paused", reason=st.sampled_from(["patient", "x"]), role=st.none() | self.roles),
            self.of("work_item.resumed"),
            self.of("work_item.closed"),
            self.of("work_item.reopened"),
        )

    def conversation(self) -> st.SearchStrategy[Event]:
        return st.one_of(
            self.of(
                "communication.sent",
                message_id=self.ids,
                role=self.roles,
                to_roles=self.some_roles,
                in_reply_to=st.none() | self.ids,
                expects_reply=st.booleans(),
                reply_due_at=maybe_time,
            ),
            self.of("communication.read", message_id=self.ids, role=self.roles),
            self.of(
                "communication.corrected", message_id=self.ids, role=self.roles, reported_by=st.none() | self.roles
            ),
            self.of("work_item.worked", role=self.roles),
        )

    def problems(self) -> st.SearchStrategy[Event]:
        act = {"problem_id": self.ids, "role": self.roles}
        return st.one_of(
            self.of("problem.raised", **act, to_roles=self.some_roles, respond_by=maybe_time),
            self.of("problem.responded", **act, kind=responses, to_roles=st.lists(self.roles, max_size=1)),
            self.of("problem.responded", **act, kind=responses, to_roles=st.lists(self.roles, max_size=1)),
            self.of("problem.resolved", **act),
            self.of("problem.reopened", **act),
        )

    def anything(self) -> st.SearchStrategy[Event]:
        return st.one_of(self.handoffs(), self.ownership(), self.conversation(), self.problems())


_hostile, _wide = Pool(ROLES, ["1", "2"], 30, anyone), Pool(ROLES, ["1", "2"], 10**6, anyone)
_close = Pool(["a", "b"], ["1"], 10**6, people)
any_event: st.SearchStrategy[Event] = _hostile.anything()


def _items(events: st.SearchStrategy[Event], least: int = 1) -> st.SearchStrategy[list[Event]]:
    return st.lists(events, min_size=least, max_size=14)


work_items: st.SearchStrategy[list[Event]] = st.one_of(
    _items(any_event),
    _items(_wide.handoffs(), least=5),
    _items(_close.handoffs(), least=5),
    _items(_close.ownership(), least=5),
    _items(_wide.ownership(), least=4),
    _items(_close.conversation(), least=5),
    _items(_close.problems(), least=4),
    _items(_wide.anything(), least=6),
)
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
