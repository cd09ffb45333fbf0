"""What the events of a log become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.gateway.log_import import LogImport
from tests.unit.log_import.logs import KEY, event, mapping, run, run_xes, trace, written, xes


def test_every_event_with_a_role_says_who_owns_the_item(tmp_path: Path) -> None:
    out = run_xes(tmp_path, trace("w", event(0, status="Queued"), event(1, team="B", status="Queued")))
    assert out.said() == [("w", "assigned"), ("w", "assigned")]
    assert [out.data(0).role, out.data(1).role] == ["A", "B"]


def test_first_matching_rule_decides_and_may_say_several_things(tmp_path: Path) -> None:
    out = run_xes(tmp_path, trace("w", event(0, status="Done")))
    assert out.verbs() == ["assigned", "worked", "closed"]


def test_event_after_a_pause_resumes_once(tmp_path: Path) -> None:
    states = ["Wait for user", "Wait", "Queued", "Work"]
    out = run_xes(tmp_path, trace("w", *(event(n, status=status) for n, status in enumerate(states))))
    assert out.verbs() == ["assigned", "paused", "assigned", "paused", "resumed", "assigned", "assigned", "worked"]
    assert out.data(1).reason == "wait"


def test_pause_of_one_item_is_not_resumed_by_another(tmp_path: Path) -> None:
    out = run_xes(tmp_path, trace("w", event(0, status="Wait")), trace("x", event(1)), trace("w", event(2)))
    assert out.said()[2:] == [("x", "assigned"), ("x", "worked"), ("w", "resumed"), ("w", "assigned"), ("w", "worked")]


def test_skipped_and_ignored_events_do_not_resume_but_keep_their_place(tmp_path: Path) -> None:
    out = run_xes(
        tmp_path,
        trace("w", event(0, status="Wait"), event(1, status="Noise"), event(2, team=None), event(3, status="Queued")),
    )
    assert out.reasons() == ["ignored", "no_role"]
    assert [one.event.id for one in out.events[2:]] == ["w:3:resumed", "w:3:assigned"]


def test_sub_events_keep_their_order_at_one_instant(tmp_path: Path) -> None:
    rules = mapping(otherwise=["opened", "working", "closed"])
    out = run_xes(tmp_path, trace("w", *(event(0, status="Other") for _ in range(3))), rules=rules)
    assert [one.event for one in sorted(out.events, key=lambda one: one.event.order)] == [
        one.event for one in out.events
    ]
    assert out.verbs()[:4] == ["opened", "assigned", "worked", "closed"]


def test_identical_events_of_a_log_are_different_events(tmp_path: Path) -> None:
    out = run_xes(tmp_path, trace("w", event(0), event(0)))
    assert len({one.event.ref for one in out.events}) == 4


def test_trace_that_comes_in_two_parts_goes_on_counting(tmp_path: Path) -> None:
    out = run_xes(tmp_path, trace("w", event(0)), trace("x", event(0)), trace("w", event(1)))
    assert [one.event.sequence // 8 for one in out.events if one.event.subject == "w"] == [0, 0, 1, 1]
    assert out.log.counts.work_items == 2


def test_kinds_of_actors_follow_the_mapping(tmp_path: Path) -> None:
    names = ["Ann", "robot7", "chatbot", None]
    out = run_xes(tmp_path, trace("w", *(event(n, who=who, status="Queued") for n, who in enumerate(names))))
    actors = [one.event.data.actor for one in out.events]
    assert [actor.kind if actor else None for actor in actors] == ["human", "system", "bot", None]
    assert out.log.counts.notes["no_actor"] == 1


def test_values_for_nothing_are_nothing(tmp_path: Path) -> None:
    rules = mapping(missing_values=["UNKNOWN"])
    out = run_xes(
        tmp_path, trace("w", event(0, team="UNKNOWN"), event(1, team="  "), event(2, who="UNKNOWN")), rules=rules
    )
    assert out.reasons() == ["no_role", "no_role"]
    assert out.data(0).actor is None


def test_event_without_role_may_still_say_what_needs_none(tmp_path: Path) -> None:
    rules = mapping(role={"attribute": "team", "missing": "states"})
    out = run_xes(
        tmp_path,
        trace("w", event(0, team=None, status="Wait"), event(1, team=None, status="Done"), event(2, team=None)),
        rules=rules,
    )
    assert out.verbs() == ["paused", "resumed", "closed"]
    assert out.reasons() == ["no_role"]


def test_trace_attributes_can_be_role_and_site(tmp_path: Path) -> None:
    rules = mapping(role={"attribute": "dept", "level": "trace"}, site={"attribute": "ward", "level": "trace"})
    traced = trace("w", event(0, team=None)).replace(
        "<event>", '<string key="dept" value="ED"/><string key="ward" value="4B"/><event>', 1
    )
    out = run_xes(tmp_path, traced, rules=rules)
    assert (out.data(0).role, out.events[0].event.site) == ("ED", "4B")


def test_site_can_be_constant(tmp_path: Path) -> None:
    assert run_xes(tmp_path, trace("w", event(0)), rules=mapping(site={"value": "Gent"})).events[0].event.site == "Gent"


def test_empty_text_matches_a_missing_attribute(tmp_path: Path) -> None:
    rules = mapping(states=[{"when": {"done_by": ""}, "means": "waiting"}], otherwise="working")
    out = run_xes(tmp_path, trace("w", event(0), event(1, done_by="x")), rules=rules)
    assert out.verbs() == ["assigned", "assigned", "worked"]


def test_process_can_be_overridden_and_makes_the_source(tmp_path: Path) -> None:
    path = written(tmp_path, xes(trace("w", event(0))), "log.xes")
    found = run(LogImport(path, mapping(), process="other one", actor_key=KEY)).events[0]
    assert found.key == b"other one/w"
    assert found.event.source == "urn:tieline:import:other%20one"


def test_given_source_keeps_processes_apart(tmp_path: Path) -> None:
    path = written(tmp_path, xes(trace("w", event(0))), "log.xes")
    rules = mapping(source="urn:acme:tickets")
    one, other = (run(LogImport(path, rules, process=name, actor_key=KEY)).events[0].event for name in ("p", "q"))
    assert one.source == other.source
    assert one.id != other.id


def test_events_do_not_depend_on_where_the_file_lies_or_how_it_is_packed(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    traces = [trace("w", event(0), event(1, team="B")), trace("x", event(0))]
    assert run_xes(tmp_path, *traces).events == run_xes(folder, *traces, name="copy.xes.gz").events


def test_long_and_odd_names_of_work_items_give_valid_events(tmp_path: Path) -> None:
    names = ["x" * 256, 'quote " and \\ back', "日本 #1/2", "x" * 200]
    out = run_xes(tmp_path, *(trace(name, event(0)) for name in names))
    assert [one.event.subject for one in out.events[::2]] == names
    assert all(one.event.canonical() == one.value for one in out.events)
    assert len({one.event.ref for one in out.events}) == 8


@pytest.mark.parametrize(
    ("name", "reason"), [("x" * 257, "bad_work_item"), ("a\tb", "bad_work_item"), ("", "no_work_item")]
)
def test_work_item_that_the_contract_refuses_is_skipped(tmp_path: Path, name: str, reason: str) -> None:
    traced = trace("@@", event(0)).replace("@@", name.replace("\t", "&#9;"))
    out = run_xes(tmp_path, traced, trace("w", event(0)))
    assert out.reasons() == [reason]
    assert len(out.events) == 2


@pytest.mark.parametrize(("changed", "reason"), [({"team": "T" * 129}, "bad_role"), ({"who": "N" * 1001}, "bad_actor")])
def test_unusable_text_is_skipped_with_its_reason_and_line(
    tmp_path: Path, changed: dict[str, str], reason: str
) -> None:
    out = run_xes(tmp_path, trace("w", event(0, **changed)))
    assert out.skipped == [(reason, "line 3")]


def test_site_that_the_contract_refuses_is_skipped(tmp_path: Path) -> None:
    rules = mapping(site={"attribute": "ward"})
    assert run_xes(tmp_path, trace("w", event(0, ward="W" * 129)), rules=rules).reasons() == ["bad_site"]


def test_counts_add_up(tmp_path: Path) -> None:
    out = run_xes(tmp_path, trace("w", event(5), event(1, team="B"), event(2, status="Noise")), trace("x", event(9)))
    counts = out.log.counts
    assert counts.log_events == 4
    assert sum(counts.mapped.values()) == len(out.events) == 6
    assert counts.skipped == {"ignored": 1}
    assert counts.notes == {"out_of_order": 1}
    assert (counts.work_items, counts.roles) == (2, 2)
    assert (counts.first_at, counts.last_at) == (out.events[2].event.time, out.events[4].event.time)


def test_hints_tell_what_the_mapping_got_wrong(tmp_path: Path) -> None:
    rules = mapping(role="Team", states=[{"when": {"status": "Wrok"}, "means": "working"}])
    out = run_xes(tmp_path, trace("w", event(0)), rules=rules)
    assert out.log.hints() == [
        "role: no event has the attribute 'Team'; did you mean 'team'?",
        "states.0: no event matched this rule",
    ]


def test_names_are_in_no_event_and_no_skip(tmp_path: Path) -> None:
    bad = event(1, who="Zebedee " * 200)
    out = run_xes(tmp_path, trace("w", event(0, who="Zebedee"), bad, event(2, who="Zebedee", team=None)))
    assert len(out.skipped) == 2
    assert "Zebedee" not in json.dumps([str(one) for one in [*out.events, *out.skipped, *out.log.hints()]])
