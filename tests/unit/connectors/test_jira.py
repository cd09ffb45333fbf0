"""What Jira's webhooks say: whose an issue is by team, assignee, component and label; work, pauses, comments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from schemas.policy import PolicyBook
from schemas.rows import HandoffRow
from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.jira import Jira
from streams.gateway.edge.draft import Reading
from streams.inference.facts import facts
from tests.golden.connectors.golden import event
from tests.unit.connectors.context import InMemorySnapshots, context, delivery

Json = dict[str, Any]
READ = Jira()
TEAM = "customfield_10001"
CREATED, UPDATED, NOW_MS = "2026-03-02T09:00:00.000+0100", "2026-03-02T09:30:00.000+0100", 1772440260000


def person(name: str, kind: str = "atlassian") -> Json:
    return {"accountId": name, "displayName": name.title(), "accountType": kind}


ADA, BOB, ANNE = person("ada"), person("bob"), person("anne")
SERVER_BOB = {"key": "bob", "name": "bob.b", "displayName": "Bob", "emailAddress": "bob@example.org"}
CATEGORIES = {
    "To Do": "new",
    "In Progress": "indeterminate",
    "Waiting": "indeterminate",
    "Done": "done",
    "Released": "done",
}


def issue(status: str = "To Do", **fields: object) -> Json:
    state = (
        {"name": status, "statusCategory": {"key": CATEGORIES[status]}} if status in CATEGORIES else {"name": status}
    )
    told = {"status": state, "created": CREATED, "updated": UPDATED, "reporter": ADA, "project": {"key": "OPS"}}
    return {"id": "10040", "key": "OPS-7", "fields": {**told, **fields}}


def changed(*items: Json, on: Json | None = None, by: Json | None = BOB, **more: object) -> Json:
    told = {"timestamp": NOW_MS, "webhookEvent": "jira:issue_updated", "user": by, "issue": on or issue()}
    return {**told, "changelog": {"id": "501", "items": list(items)}, **more}


def change(field: str, before: str | None, after: str | None, **more: object) -> Json:
    return {
        "field": field,
        "fieldId": field,
        "fromString": before,
        "toString": after,
        "from": before,
        "to": after,
        **more,
    }


def moved(before: str, after: str, *others: Json, by: Json | None = BOB, **fields: object) -> Json:
    return changed(change("status", before, after), *others, on=issue(after, **fields), by=by)


def commented(by: Json, body: object, on: Json | None = None, **more: object) -> Json:
    told = {"id": "31", "author": by, "body": body, "created": UPDATED, "updated": UPDATED, **more}
    return {"timestamp": NOW_MS, "webhookEvent": "comment_created", "comment": told, "issue": on or issue(assignee=BOB)}


def policy(**more: Any) -> Context:
    """Ada is of support, Bob of the platform; the component `Net` and the project `NET` are the network's."""
    roles = {"group": {"Net": "network", "NET": "network"}, "label": {"db": "database"}}
    options = {"pause_statuses": {"waiting": "customer"}}
    return context(
        "desk", **{"roles": roles, "actors": {"ada": "support", "bob": "platform"}, "options": options, **more}
    )


def read(payload: Json, told: Context | None = None) -> Reading:
    return READ.read(delivery(json.dumps(payload).encode()), told or policy())


def said(reading: Reading) -> list[tuple[str, Mapping[str, object]]]:
    """Noun and verb, and data; every draft is one of the contract."""
    for draft in reading.drafts:
        event(draft, "desk")
    return [(draft.type.removeprefix("tieline.").removesuffix(".v1"), draft.data) for draft in reading.drafts]


def verbs(reading: Reading) -> list[str]:
    return [verb.removeprefix("work_item.") for verb, _ in said(reading)]


def assigned_to(reading: Reading) -> list[object]:
    return [data["role"] for verb, data in said(reading) if verb == "work_item.assigned"]


# Whose it is


def test_new_issue_is_opened_and_has_an_owner_if_anything_tells_one() -> None:
    payload = {"timestamp": NOW_MS, "webhookEvent": "jira:issue_created", "user": ADA, "issue": issue()}
    assert said(read(payload)) == [("work_item.opened", {"role": "support"})]
    payload["issue"] = issue(components=[{"name": "Net"}])
    assert assigned_to(read(payload)) == ["network"]
    assert {draft.time.isoformat() for draft in read(payload).drafts} == {"2026-03-02T08:00:00+00:00"}


def test_issue_may_be_created_done_or_waiting() -> None:
    for status, verb in (("Done", "closed"), ("Waiting", "paused")):
        payload = {"webhookEvent": "jira:issue_created", "user": ADA, "issue": issue(status)}
        assert verbs(read(payload)) == ["opened", verb]


def test_assignee_brings_the_role_that_the_policy_knows() -> None:
    reading = read(changed(change("assignee", None, "bob"), on=issue(assignee=BOB), by=ADA))
    assert said(reading) == [("work_item.assigned", {"role": "platform"})]
    assert reading.drafts[0].subject == "OPS-7"
    assert reading.drafts[0].time.isoformat() == "2026-03-02T08:31:00+00:00"
    nobody_knows = changed(change("assignee", None, "anne"), on=issue(assignee=ANNE), by=ADA)
    assert read(nobody_knows) == Reading(unused=("no_role",))


@pytest.mark.parametrize("value", ["Network", {"value": "Network"}, {"name": "Network"}, [{"name": "Network"}, "Ops"]])
def test_team_field_names_the_owner_before_the_assignee(value: object) -> None:
    told = policy(options={"team_field": TEAM})
    on = issue(assignee=BOB, **{TEAM: value})
    assert assigned_to(read(changed(change(TEAM, None, "Network"), on=on), told)) == ["Network"]
    assert assigned_to(read(changed(change("assignee", None, "bob"), on=on, by=ADA), told)) == []


def test_data_center_names_the_team_field_by_what_it_is_called() -> None:
    told = policy(options={"team_field": TEAM, "team_field_name": "Owning team"})
    item = {"field": "owning team", "fromString": None, "toString": "Network"}
    assert assigned_to(read(changed(item, on=issue(**{TEAM: {"value": "Network"}})), told)) == ["Network"]


def test_field_that_holds_people_is_no_team() -> None:
    told = policy(options={"team_field": TEAM})
    assert read(changed(change(TEAM, None, "Bob"), on=issue(**{TEAM: BOB})), told).unused == ("no_role",)


def test_component_label_and_project_are_roles_if_the_policy_says_so() -> None:
    component = changed(change("Component", None, "Net"), on=issue(components=[{"name": "Net"}]))
    label = changed(change("labels", "a", "a db"), on=issue(labels=["a", "db"]))
    project = changed(change("project", "1", "2"), on=issue(project={"key": "NET"}))
    assert [assigned_to(read(one)) for one in (component, label, project)] == [["network"], ["database"], ["network"]]
    other = changed(change("Component", None, "UI"), on=issue(components=[{"name": "Net"}, {"name": "UI"}]))
    assert read(other) == Reading(unused=("no_change",))


def test_owner_falls_back_when_what_told_it_is_cleared() -> None:
    on = issue(components=[{"name": "Net"}], assignee=None)
    assert assigned_to(read(changed(change("assignee", "bob", None), on=on))) == ["network"]


def test_change_counts_more_than_the_issue_beside_it() -> None:
    stale = changed(change("assignee", None, "bob"), on=issue(assignee=None), by=ADA)
    assert assigned_to(read(stale)) == ["platform"]
    gone = changed(change("assignee", "bob", None), on=issue(assignee=BOB))
    assert read(gone) == Reading(unused=("no_role",))


def test_who_takes_an_issue_for_the_role_that_has_it_works_on_it() -> None:
    on = issue(assignee=ANNE, components=[{"name": "Net"}])
    take = changed(change("assignee", None, "anne"), on=on, by=ANNE)
    assert said(read(take)) == [("work_item.worked", {"role": "network"})]
    given = changed(change("assignee", None, "anne"), on=on, by=BOB)
    assert read(given) == Reading(unused=("assigned_within_role",))


def test_change_of_the_owning_role_is_a_handoff_that_its_work_accepts() -> None:
    opened = {"timestamp": NOW_MS, "webhookEvent": "jira:issue_created", "user": ADA, "issue": issue(assignee=ADA)}
    given = changed(change("assignee", "ada", "bob"), on=issue(assignee=BOB), by=ADA)
    taken = {**moved("To Do", "In Progress", assignee=BOB), "timestamp": NOW_MS + 60_000, "changelog": {"id": "502"}}
    taken["changelog"]["items"] = [change("status", "To Do", "In Progress")]
    drafts = [draft for payload in (opened, given, taken) for draft in read(payload).drafts]
    events = [decode(json.dumps({**event(draft, "desk"), "source": "golden"}).encode()) for draft in drafts]
    rows = facts(events, PolicyBook(), as_of=datetime(2026, 4, 1, tzinfo=UTC)).rows.values()
    [row] = [row for row in rows if isinstance(row, HandoffRow)]
    assert (row.from_role, row.to_role, row.state, row.waited_s) == ("support", "platform", "accepted", 60)


# What is done


def test_status_in_progress_by_the_owner_is_work() -> None:
    assert verbs(read(moved("To Do", "In Progress", assignee=BOB))) == ["worked"]
    assert verbs(read(moved("To Do", "In Progress", assignee=BOB, by=ADA))) == []
    assert read(moved("To Do", "In Progress", by=ANNE)).unused == ("no_role",)


def test_bot_never_works() -> None:
    robot = person("bob", "app")
    assert read(moved("To Do", "In Progress", assignee=robot, by=robot)).unused == ("not_human",)


def test_done_is_closed_and_its_owner_has_worked() -> None:
    assert verbs(read(moved("In Progress", "Done", assignee=BOB))) == ["worked", "closed"]
    assert verbs(read(moved("In Progress", "Released", by=ADA))) == ["closed"]
    assert verbs(read(moved("Done", "Released", by=ADA))) == []


def test_leaving_done_reopens() -> None:
    assert verbs(read(moved("Done", "To Do", by=ADA))) == ["reopened"]
    # A done status that no setting names is known by the resolution that is cleared with it.
    cleared = change("resolution", "10000", None)
    assert verbs(read(moved("Released", "To Do", cleared, by=ADA))) == ["reopened"]
    assert verbs(read(moved("Released", "To Do", by=ADA), policy(options={"done_statuses": ["released"]}))) == [
        "reopened"
    ]


def test_status_may_be_a_pause() -> None:
    assert said(read(moved("In Progress", "Waiting", by=ADA))) == [
        ("work_item.paused", {"role": "support", "reason": "customer"})
    ]
    assert verbs(read(moved("Waiting", "In Progress", assignee=BOB))) == ["resumed", "worked"]


def test_status_without_category_goes_by_its_name() -> None:
    old = changed(change("status", "Open", "Resolved"), on=issue("Resolved"), by=ADA)
    assert verbs(read(old)) == ["closed"]


def test_assigning_a_done_issue_does_not_reopen_it() -> None:
    late = changed(change("assignee", None, "bob"), on=issue("Done", assignee=BOB), by=ADA)
    assert verbs(read(late)) == ["assigned", "closed"]


def test_writing_in_the_issue_is_work_of_its_owner() -> None:
    assert verbs(read(changed(change("description", "a", "b"), on=issue(assignee=BOB)))) == ["worked"]
    assert verbs(read(changed(change("description", "a", "b"), on=issue(assignee=BOB), by=ADA))) == []
    assert verbs(read(changed(change("Sprint", "1", "2"), on=issue(assignee=BOB)))) == []
    more = policy(options={"work_fields": ["QA Steps"]})
    assert verbs(read(changed(change("QA Steps", None, "x"), on=issue(assignee=BOB)), more)) == ["worked"]


def test_assignee_whom_no_map_knows_works_for_the_owner() -> None:
    on = issue(assignee=ANNE, components=[{"name": "Net"}])
    assert said(read(changed(change("Attachment", None, "x"), on=on, by=ANNE))) == [
        ("work_item.worked", {"role": "network"})
    ]


def test_issue_that_moves_to_another_key_ends_and_starts() -> None:
    reading = read(changed(change("Key", "OLD-1", "OPS-7"), on=issue(assignee=BOB)))
    assert [(draft.subject, verb) for draft, verb in zip(reading.drafts, verbs(reading), strict=True)] == [
        ("OLD-1", "closed"),
        ("OPS-7", "opened"),
        ("OPS-7", "assigned"),
    ]


def test_deleted_issue_is_closed() -> None:
    payload = {"timestamp": NOW_MS, "webhookEvent": "jira:issue_deleted", "user": ADA, "issue": issue()}
    assert verbs(read(payload)) == ["closed"]


# Comments


def test_comment_goes_to_the_other_roles_on_the_issue() -> None:
    reading = read(commented(BOB, "Which server?"))
    assert verbs(reading) == ["worked", "communication.sent"]
    assert reading.drafts[1].data == {"message_id": "comment.31", "role": "platform", "to_roles": ["support"]}
    assert verbs(read(commented(ADA, "Any news?"))) == ["communication.sent"]


def few_fields(**fields: object) -> Json:
    """An issue as Cloud tells it beside a comment."""
    told = issue(**fields)
    del told["fields"]["created"], told["fields"]["updated"], told["fields"]["reporter"]
    return told


def test_comment_beside_few_fields_goes_to_the_roles_that_the_issue_had_when_it_was_told_in_full() -> None:
    told = policy(options={"team_field": TEAM})
    alone = read(commented(BOB, "Which server?", on=few_fields(assignee=BOB)), told)
    assert verbs(alone) == ["worked"]
    read(changed(change(TEAM, None, "Network"), on=issue(assignee=BOB, **{TEAM: "Network"})), told)
    reading = read(commented(BOB, "Which server?", on=few_fields(assignee=BOB)), told)
    assert reading.drafts[-1].data["to_roles"] == ["Network", "support"]


def test_only_news_is_remembered() -> None:
    snapshots = InMemorySnapshots()
    read(changed(change("assignee", None, "bob"), on=issue(assignee=BOB)), policy(snapshots=snapshots))
    kept = snapshots.kept.copy()
    assert list(kept.values()) == [{"owner": "platform", "reporter": "support", "order": "2026-03-02T08:31:00+00:00"}]
    later = changed(change("Sprint", "1", "2"), on=issue(assignee=BOB), timestamp=NOW_MS + 1)
    read(later, policy(snapshots=snapshots))
    assert snapshots.kept == kept


def test_comment_on_a_done_issue_does_not_reopen_it() -> None:
    assert verbs(read(commented(BOB, "Thanks", on=issue("Done", assignee=BOB)))) == ["communication.sent"]


def test_comment_of_an_unknown_role_or_to_nobody_else_is_unused() -> None:
    assert read(commented(ANNE, "Hello")) == Reading(unused=("no_role",))
    assert read(commented(ADA, "Note", on=issue())) == Reading(unused=("no_addressee",))


@pytest.mark.parametrize("restricted", [{"jsdPublic": False}, {"visibility": {"type": "role", "value": "Staff"}}])
def test_internal_comment_is_not_for_who_reported(restricted: Json) -> None:
    assert verbs(read(commented(BOB, "Between us", **restricted))) == ["worked"]


@pytest.mark.parametrize(
    "body",
    [
        "[~ada] and [~accountid:anne]?",
        {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "mention", "attrs": {"id": "ada"}}]}]},
    ],
)
def test_mention_addresses_exactly_those_roles(body: object) -> None:
    on = issue(reporter=person("carla"), assignee=ANNE, components=[{"name": "Net"}])
    assert said(read(commented(BOB, body, on=on)))[0][1]["to_roles"] == ["support"]


def test_mention_in_code_addresses_nobody() -> None:
    on = issue(reporter=BOB, assignee=None)
    assert read(commented(BOB, "{code}[~ada]{code}", on=on)) == Reading(unused=("no_addressee",))


def test_text_goes_to_the_edge_and_nowhere_else() -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "My patient Jane"}]}
    for body in ("My patient Jane", {"type": "doc", "content": [paragraph]}):
        draft = read(commented(BOB, body)).drafts[-1]
        assert draft.text == "My patient Jane"
        assert "Jane" not in repr(draft)
        assert "Jane" not in json.dumps(event(draft, "desk"))


def test_customer_of_a_service_desk_may_be_a_role() -> None:
    customer = person("carla", "customer")
    told = policy(roles={"association": {"customer": "customer"}})
    reading = read(commented(BOB, "Done?", on=issue(reporter=customer, assignee=BOB)), told)
    assert reading.drafts[-1].data["to_roles"] == ["customer"]


def test_comment_told_with_an_update_has_the_ids_of_the_comment_alone() -> None:
    alone = commented(BOB, "Which server?")
    update = {**alone, "webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_commented"}
    assert read(update) == read(alone)
    del update["issue_event_type_name"]
    assert read(update) == read(alone)


def test_edited_comment_is_unused() -> None:
    edited = {**commented(BOB, "Which one?", updated=CREATED), "webhookEvent": "jira:issue_updated"}
    assert read(edited).unused == ("comment_updated",)
    assert read({**edited, "issue_event_type_name": "issue_comment_edited"}).unused == ("comment_updated",)


def test_comment_without_its_issue_is_unused() -> None:
    payload = commented(BOB, "Hi")
    del payload["issue"]
    assert read(payload) == Reading(unused=("no_issue",))


def test_commented_transition_says_both() -> None:
    payload = moved("To Do", "Done", by=ADA, assignee=BOB)
    told = {**commented(ADA, "Solved itself"), **payload, "issue_event_type_name": "issue_commented"}
    assert verbs(read(told)) == ["closed", "communication.sent"]


@pytest.mark.parametrize("text", ["{code:", "{code}", "{noformat:x}", "[~", "[~ada]", "[~accountid:", "{"])
def test_hostile_text_costs_little(text: str) -> None:
    before = process_time()
    read(commented(BOB, text * (100_000 // len(text))))
    assert process_time() - before < 0.5


# Accounts


def test_account_is_known_by_what_stays() -> None:
    for user, name in ((ADA, "ada"), (SERVER_BOB, "bob"), ({"name": "carl"}, "carl")):
        payload = {"webhookEvent": "jira:issue_created", "user": user, "issue": issue()}
        actor = read(payload).drafts[0].actor
        assert actor is not None
        assert actor.name == name


def test_only_cloud_says_who_is_human() -> None:
    kinds = {"atlassian": "human", "customer": "human", "app": "bot", "": "unknown"}
    for told, kind in kinds.items():
        payload = {"webhookEvent": "jira:issue_created", "user": person("ada", told), "issue": issue()}
        actor = read(payload).drafts[0].actor
        assert actor is not None
        assert actor.kind == kind


# The format


def test_change_is_known_by_its_changelog() -> None:
    first = read(changed(change("assignee", None, "bob"), on=issue(assignee=BOB), by=ADA))
    later = read(changed(change("assignee", None, "bob"), on=issue(assignee=BOB), by=ADA, timestamp=NOW_MS))
    assert first == later
    assert first.drafts[0].id == "change.501:assigned"


def test_time_of_the_issue_stands_in_for_a_missing_timestamp() -> None:
    payload = moved("To Do", "Done")
    del payload["timestamp"]
    assert {draft.time.isoformat() for draft in read(payload).drafts} == {"2026-03-02T08:30:00+00:00"}


def test_unused_is_counted_by_a_closed_list_of_codes() -> None:
    assert read({"webhookEvent": "sprint_started"}).unused == ("sprint_started",)
    assert read({"webhookEvent": "Jane"}).unused == ("other_event",)
    assert read({"webhookEvent": "jira:issue_updated", "issue": issue()}).unused == ("no_change",)


@pytest.mark.parametrize(("without", "error"), [("webhookEvent", "webhookEvent"), ("issue", "issue")])
def test_missing_field_is_named(without: str, error: str) -> None:
    payload = moved("To Do", "Done")
    del payload[without]
    with pytest.raises(InvalidEvent, match=f"missing_field at {error}"):
        read(payload)


# Payloads by others


def fixtures(shared_data: Path) -> dict[str, Json]:
    return {
        path.name: json.loads(path.read_bytes()) for path in sorted((shared_data / "fixtures" / "jira").glob("*.json"))
    }


def test_no_account_is_in_what_is_written_down(shared_data: Path) -> None:
    for payload in fixtures(shared_data).values():
        told = json.dumps([event(draft, "desk") for draft in read(payload).drafts])
        users = [payload.get("user"), (payload.get("comment") or {}).get("author")]
        for user in users:
            for key in ("accountId", "key", "name", "displayName", "emailAddress"):
                assert f'"{(user or {}).get(key)}"' not in told


@pytest.mark.parametrize("put", [None, 7, [7], {"name": 7}, "\ud800"], ids=repr)
def test_any_damaged_fixture_is_read_or_refused(put: object, shared_data: Path) -> None:
    for payload in fixtures(shared_data).values():
        for damaged in damages(payload, put):
            with suppress(InvalidEvent):
                for draft in read(damaged).drafts:
                    event(draft, "desk")


def damages(payload: Json, put: object) -> list[Json]:
    """The payload with one field of its first levels replaced, one after the other."""
    first = [{**payload, key: put} for key in payload]
    inner = [(key, child) for key, value in payload.items() if isinstance(value, dict) for child in value]
    second = [{**payload, key: {**payload[key], child: put}} for key, child in inner]
    known = ("status", "assignee", "reporter", "components", "labels", "created", "updated", "project")
    fields = (payload.get("issue") or {}).get("fields", {})
    third = [
        {**payload, "issue": {**payload["issue"], "fields": {**fields, key: put}}} for key in known if key in fields
    ]
    return [*first, *second, *third]


@settings(max_examples=300)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=8)
        | st.sampled_from([*CATEGORIES, "bob", "status"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["issue", "key", "id", "fields", "changelog", "items", "field", "toString", "comment", "user"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=25,
    ),
    st.sampled_from(["jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created"]),
)
def test_any_json_is_read_or_refused(payload: object, what: str) -> None:
    told = {**payload, "webhookEvent": what} if isinstance(payload, dict) else payload
    with suppress(InvalidEvent):
        READ.read(delivery(json.dumps(told).encode()), policy())
