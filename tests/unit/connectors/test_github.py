"""What GitHub's webhooks say: ownership by labels and assignees, reviews as consults, comments as messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import decode
from schemas.errors import InvalidEvent
from schemas.policy import PolicyBook
from schemas.rows import HandoffRow
from streams.gateway.connectors.connector import Context
from streams.gateway.connectors.github import GitHub
from streams.gateway.edge.draft import Reading
from streams.inference.facts import facts
from tests.golden.connectors.golden import event
from tests.unit.connectors.context import InMemorySnapshots, context, delivery

Json = dict[str, Any]
READ = GitHub()
ADA, BOB, ANNE = (
    {"login": login, "id": place, "type": "User"} for place, login in enumerate(("ada", "bob", "anne"), 9001)
)
BOT = {"login": "merger[bot]", "id": 9009, "type": "Bot"}
REPOSITORY = {"id": 77, "full_name": "octo/web", "owner": {"login": "octo", "type": "Organization"}}


def at(second: int) -> str:
    return f"2026-03-02T08:00:{second:02}Z"


def item(**changed: object) -> Json:
    told = {"number": 7, "user": ADA, "author_association": "MEMBER", "state": "open", "labels": [], "assignees": []}
    return {**told, "created_at": at(0), "updated_at": at(1), "closed_at": None, **changed}


def label(name: str) -> Json:
    return {"id": 500 + len(name), "name": name}


def issue(action: str, sender: Json = ADA, *, on: Json | None = None, **more: object) -> Json:
    return {"action": action, "issue": on or item(), "repository": REPOSITORY, "sender": sender, **more}


def pull(action: str, sender: Json = ADA, *, on: Json | None = None, **more: object) -> Json:
    told = on or item(requested_teams=[], requested_reviewers=[], draft=False)
    return {"action": action, "pull_request": told, "repository": REPOSITORY, "sender": sender, **more}


def comment(by: Json, text: str, *, on: Json | None = None, **more: object) -> Json:
    told = {"id": 31, "user": by, "body": text, "created_at": at(5), "author_association": "NONE", **more}
    return issue("created", by, on=on, comment=told)


def review(by: Json, state: str, text: str = "", *, on: Json | None = None, number: int = 41, second: int = 30) -> Json:
    told = {"id": number, "user": by, "body": text, "state": state, "submitted_at": at(second)}
    return pull("submitted", by, on=on, review={**told, "author_association": "MEMBER"})


def asked(second: int, sender: Json = ADA, *, action: str = "review_requested", **whom: object) -> Json:
    return pull(action, sender, on=item(updated_at=at(second)), **whom)


def team(slug: str) -> Json:
    return {"id": 8, "name": slug.title(), "slug": slug}


def policy(**more: Any) -> Context:
    """Ada writes the backend, Bob is security; the label `area/web` is the web team's."""
    told = {"roles": {"label": {"area/web": "web"}}, "actors": {"ada": "backend", "bob": "security"}}
    return context("maintenance", **{**told, **more})


def read(payload: Json, told: Context | None = None, **headers: str) -> Reading:
    return READ.read(delivery(json.dumps(payload).encode(), headers), told or policy())


def said(reading: Reading) -> list[tuple[str, Mapping[str, object]]]:
    """Noun and verb, and data; every draft is one of the contract."""
    for draft in reading.drafts:
        event(draft, "maintenance")
    return [(draft.type.removeprefix("tieline.").removesuffix(".v1"), draft.data) for draft in reading.drafts]


def verbs(reading: Reading) -> list[str]:
    return [verb for verb, _ in said(reading)]


def handoffs(reading: Reading) -> set[object]:
    return {data["handoff_id"] for verb, data in said(reading) if verb.startswith("handoff.")}


def inferred(*payloads: Json, told: Context) -> list[HandoffRow]:
    """The handoffs that come of the webhooks."""
    drafts = [draft for payload in payloads for draft in read(payload, told).drafts]
    events = [decode(json.dumps({**event(draft, "maintenance"), "source": "golden"}).encode()) for draft in drafts]
    rows = facts(events, PolicyBook(), as_of=datetime(2026, 4, 1, tzinfo=UTC)).rows.values()
    return [row for row in rows if isinstance(row, HandoffRow) and not row.is_deleted]


# The item itself


def test_label_of_a_role_gives_it_the_item() -> None:
    reading = read(issue("labeled", BOB, label=label("area/web")))
    assert said(reading) == [("work_item.assigned", {"role": "web"})]
    assert reading.drafts[0].subject == "octo/web#7"


def test_label_that_is_no_role_is_unused() -> None:
    assert read(issue("labeled", label=label("bug"))) == Reading(unused=("issues.labeled",))


def test_assignee_brings_the_role_that_the_policy_knows() -> None:
    assert said(read(issue("assigned", assignee=BOB))) == [("work_item.assigned", {"role": "security"})]
    assert read(issue("assigned", assignee=ANNE)) == Reading(unused=("no_role",))
    assert read(issue("assigned", assignee=None)) == Reading(unused=("no_role",))


def test_who_takes_an_item_for_the_role_that_has_it_works_on_it() -> None:
    mine = item(labels=[label("area/web")], assignees=[ANNE])
    assert said(read(issue("assigned", ANNE, on=mine, assignee=ANNE))) == [("work_item.worked", {"role": "web"})]
    assert read(issue("assigned", ANNE, assignee=ANNE)) == Reading(unused=("no_role",))


def test_bot_never_works() -> None:
    mine = item(labels=[label("area/web")], assignees=[BOT])
    assert read(issue("assigned", BOT, on=mine, assignee=BOT)) == Reading(unused=("not_human",))


def test_opening_names_the_role_of_who_opened() -> None:
    assert said(read(issue("opened"))) == [("work_item.opened", {"role": "backend"})]
    assert said(read(issue("opened", ANNE, on=item(user=ANNE)))) == [("work_item.opened", {"role": "MEMBER"})]


def test_no_relation_to_the_repository_is_no_role_unless_the_policy_says_so() -> None:
    stranger = issue("opened", ANNE, on=item(user=ANNE, author_association="NONE"))
    assert said(read(stranger)) == [("work_item.opened", {})]
    told = policy(roles={"association": {"NONE": "reporter"}})
    assert said(read(stranger, told)) == [("work_item.opened", {"role": "reporter"})]


def test_transferred_item_ends_here_and_is_opened_there() -> None:
    assert verbs(read(issue("transferred"))) == ["work_item.closed"]
    there = read(issue("opened", changes={"old_issue": {"number": 3}}))
    assert [draft.time.second for draft in there.drafts] == [1]
    assert verbs(there) == ["work_item.opened"]


def test_closing_and_reopening_are_told() -> None:
    closed = read(issue("closed", on=item(state="closed", closed_at=at(9))))
    assert (verbs(closed), closed.drafts[0].time.second) == (["work_item.closed"], 9)
    assert verbs(read(issue("reopened"))) == ["work_item.reopened"]
    assert verbs(read(issue("deleted"))) == ["work_item.closed"]


def test_closing_is_work_of_who_has_it() -> None:
    mine = item(state="closed", closed_at=at(9), assignees=[BOB])
    assert verbs(read(issue("closed", BOB, on=mine))) == ["work_item.worked", "work_item.closed"]
    assert verbs(read(issue("closed", ADA, on=mine))) == ["work_item.closed"]


def test_label_on_a_closed_item_does_not_reopen_it() -> None:
    late = issue("labeled", on=item(state="closed"), label=label("area/web"))
    assert verbs(read(late)) == ["work_item.assigned", "work_item.closed"]


def test_draft_is_a_pause() -> None:
    assert verbs(read(pull("opened", on=item(draft=True)))) == ["work_item.opened", "work_item.paused"]
    assert said(read(pull("converted_to_draft")))[0][1]["reason"] == "draft"
    assert verbs(read(pull("ready_for_review"))) == ["work_item.resumed"]


def test_label_may_be_a_pause() -> None:
    told = policy(options={"pause_labels": {"Waiting": "customer"}})
    assert said(read(issue("labeled", label=label("waiting")), told)) == [("work_item.paused", {"reason": "customer"})]
    assert verbs(read(issue("unlabeled", label=label("waiting")), told)) == ["work_item.resumed"]
    assert read(issue("unlabeled", label=label("area/web")), told).unused == ("issues.unlabeled",)


def test_pushing_is_work() -> None:
    assert said(read(pull("synchronize", after="c0ffee"))) == [("work_item.worked", {"role": "backend"})]
    assert read(pull("synchronize", BOT, after="c0ffee")).unused == ("not_human",)


def test_repository_of_a_person_goes_by_its_number() -> None:
    own = {"id": 77, "full_name": "ada/web", "owner": {"login": "ada", "type": "User"}}
    assert read({**issue("opened"), "repository": own}).drafts[0].subject == "77#7"


# Reviews


def test_review_asked_of_a_team_is_a_consult_offered_to_it() -> None:
    reading = read(asked(10, requested_team=team("security")))
    assert verbs(reading) == ["handoff.offered"]
    data = reading.drafts[0].data
    assert (data["from_role"], data["to_role"], data["intent"]) == ("backend", "security", "consult")


def test_review_asked_of_a_person_is_asked_of_the_role() -> None:
    assert read(asked(10, requested_reviewer=BOB)).drafts[0].data["to_role"] == "security"
    assert read(asked(10, requested_reviewer=ANNE)) == Reading(unused=("no_role",))
    assert read(asked(10)) == Reading(unused=("no_role",))


def test_what_a_bot_asks_it_asks_for_the_author() -> None:
    assert read(asked(10, BOT, requested_team=team("security"))).drafts[0].data["from_role"] == "backend"


def test_review_accepts_what_was_asked_and_gives_it_back() -> None:
    told = policy()
    offer = read(asked(10, requested_team=team("security")), told).drafts[0]
    reading = read(review(BOB, "approved"), told)
    assert verbs(reading) == ["handoff.accepted", "work_item.worked", "handoff.returned", "communication.sent"]
    assert handoffs(reading) == {offer.data["handoff_id"]}
    assert {draft.data["role"] for draft in reading.drafts} == {"security"}
    assert reading.drafts[3].data["to_roles"] == ["backend"]
    assert [draft.sequence for draft in reading.drafts] == sorted(draft.sequence for draft in reading.drafts)


def test_answered_request_is_a_planned_return_and_no_bounce() -> None:
    done = pull("closed", on=item(state="closed", closed_at=at(50)))
    answer = review(BOB, "changes_requested", "Not yet.")
    [row] = inferred(pull("opened"), asked(10, requested_team=team("security")), answer, done, told=policy())
    assert (row.from_role, row.to_role, row.origin, row.waited_s) == ("backend", "security", "explicit", 20)
    assert (row.worked, row.planned_return, row.bounced) == (True, True, False)


def test_label_of_another_role_is_a_handoff_that_its_work_accepts() -> None:
    told = policy(roles={"label": {"api": "backend", "area/web": "web"}}, actors={"bob": "web"})
    first = issue("labeled", on=item(updated_at=at(1)), label=label("api"))
    second = issue("labeled", on=item(updated_at=at(4)), label=label("area/web"))
    answer = comment(BOB, "On it.", on=item(labels=[label("area/web")]))
    [row] = inferred(issue("opened"), first, second, answer, told=told)
    assert (row.from_role, row.to_role, row.origin, row.state, row.waited_s) == (
        "backend",
        "web",
        "inferred",
        "accepted",
        1,
    )


def test_review_told_again_says_the_same_again() -> None:
    told = policy()
    first = [read(one, told) for one in (asked(10, requested_team=team("security")), review(BOB, "approved"))]
    again = [read(one, told) for one in (asked(10, requested_team=team("security")), review(BOB, "approved"))]
    assert first == again


def test_asking_again_after_a_review_is_another_handoff() -> None:
    told = policy()
    first = read(asked(10, requested_reviewer=BOB), told).drafts[0].data["handoff_id"]
    read(review(BOB, "changes_requested", "Not yet.", second=20), told)
    second = read(asked(25, requested_reviewer=BOB), told).drafts[0].data["handoff_id"]
    answer = read(review(BOB, "approved", number=42, second=30), told)
    assert first != second
    assert handoffs(answer) == {second}
    # The first review again still answers the first request.
    again = read(review(BOB, "changes_requested", "Not yet.", second=20), told)
    assert handoffs(again) == {first}


def test_role_that_is_asked_twice_has_one_answer_to_give() -> None:
    told = policy(actors={"ada": "backend", "bob": "security", "anne": "security"})
    assert verbs(read(asked(10, requested_reviewer=BOB), told)) == ["handoff.offered"]
    assert read(asked(11, requested_reviewer=ANNE), told) == Reading(unused=("review_already_requested",))
    assert read(asked(11, requested_reviewer=ANNE), told) == Reading(unused=("review_already_requested",))
    same_second = read(asked(10, requested_reviewer=ANNE), told)
    assert [draft.id for draft in same_second.drafts] == [read(asked(10, requested_reviewer=BOB), told).drafts[0].id]


def test_team_is_answered_by_the_review_after_which_it_is_not_asked_any_more() -> None:
    told = policy()
    read(asked(10, requested_team=team("legal")), told)
    still = item(requested_teams=[team("legal")])
    assert "handoff.accepted" not in verbs(read(review(ANNE, "approved", on=still, second=20), told))
    done = read(review(ANNE, "approved", on=item(requested_teams=[]), number=42), told)
    assert [(verb, data["role"]) for verb, data in said(done)][:1] == [("handoff.accepted", "legal")]


def test_withdrawn_request_is_withdrawn_by_who_offered() -> None:
    told = policy()
    read(asked(10, requested_team=team("security")), told)
    gone = asked(15, ANNE, action="review_request_removed", requested_team=team("security"))
    assert [(verb, data["role"]) for verb, data in said(read(gone, told))] == [("handoff.withdrawn", "backend")]
    assert read(gone, told) == read(gone, told)
    assert "handoff.accepted" not in verbs(read(review(BOB, "approved"), told))


def test_withdrawing_what_nobody_has_seen_asked_is_unused() -> None:
    gone = asked(15, action="review_request_removed", requested_team=team("security"))
    assert read(gone) == Reading(unused=("review_not_requested",))


@pytest.mark.parametrize("by", [ADA, BOT], ids=["its author", "a bot"])
def test_own_or_automatic_review_answers_nothing(by: Json) -> None:
    told = policy(actors={"ada": "security", "merger[bot]": "security"})
    read(asked(10, requested_team=team("security")), told)
    assert "handoff.accepted" not in verbs(read(review(by, "commented", "Hm."), told))


def test_review_from_before_the_request_does_not_answer_it() -> None:
    told = policy()
    read(asked(10, requested_team=team("security")), told)
    assert "handoff.accepted" not in verbs(read(review(BOB, "approved", second=5), told))


def test_review_without_words_is_no_message() -> None:
    assert read(review(BOB, "commented")) == Reading(unused=("review_not_requested",))
    assert verbs(read(review(BOB, "commented", "Why?"))) == ["communication.sent"]


def test_what_is_remembered_is_bounded() -> None:
    snapshots = InMemorySnapshots()
    told = policy(snapshots=snapshots)
    for number in range(60):
        read(asked(10, requested_team=team(f"team-{number}")), told)
        read(asked(10 + number % 40, requested_team=team("security")), told)
        read(review(BOB, "approved", number=1000 + number, second=11 + number % 40), told)
    assert max(len(json.dumps(kept)) for kept in snapshots.kept.values()) < 16_000
    assert len(snapshots.kept["github:77.7:reviews"]["teams"]) == 32  # type: ignore[arg-type]


def test_requests_that_are_told_at_once_do_not_forget_each_other() -> None:
    """Both webhooks are read before what either told is remembered."""
    teams = [team("legal"), team("security")]
    before, after = InMemorySnapshots(), InMemorySnapshots()
    for one in teams:
        alone = InMemorySnapshots(dict(before.kept))
        told = pull("review_requested", on=item(updated_at=at(10), requested_teams=teams), requested_team=one)
        read(told, policy(snapshots=alone))
        after.kept.update(alone.kept)
    answer = read(review(ANNE, "approved", on=item(requested_teams=[])), policy(snapshots=after))
    assert {data["role"] for verb, data in said(answer) if verb == "handoff.accepted"} == {"legal", "security"}


# Messages


def test_comment_goes_to_the_other_roles_on_the_item() -> None:
    on = item(labels=[label("area/web")])
    assert said(read(comment(BOB, "Any news?", on=on)))[0][1]["to_roles"] == ["backend", "web"]


def test_comment_by_who_has_the_item_is_work_too() -> None:
    on = item(assignees=[BOB])
    assert verbs(read(comment(BOB, "Found it.", on=on))) == ["work_item.worked", "communication.sent"]
    closed = item(assignees=[BOB], state="closed")
    assert verbs(read(comment(BOB, "Found it.", on=closed))) == ["communication.sent"]


def test_comment_to_nobody_else_is_unused() -> None:
    assert read(comment(ADA, "Note to self.")) == Reading(unused=("no_addressee",))


def test_comment_of_an_unknown_role_is_unused() -> None:
    assert read(comment(ANNE, "Hello")) == Reading(unused=("no_role",))


def test_mention_addresses_exactly_those_roles() -> None:
    told = policy(roles={"group": {"sre": "operations"}})
    assert said(read(comment(ANNE, "@octo/sre please", author_association="MEMBER"), told))[0][1]["to_roles"] == [
        "operations"
    ]
    assert said(read(comment(ADA, "@bob?")))[0][1]["to_roles"] == ["security"]


@pytest.mark.parametrize("text", ["@types/node", "a@bob", "> @bob", "```\n@bob\n```", "`@bob`", "x/@bob", "@bobby"])
def test_what_only_looks_like_a_mention_addresses_nobody(text: str) -> None:
    assert read(comment(ADA, text)) == Reading(unused=("no_addressee",))


def test_comment_in_a_thread_answers_its_first() -> None:
    told = {"id": 32, "in_reply_to_id": 31, "user": BOB, "body": "Because.", "created_at": at(6)}
    data = said(read(pull("created", BOB, comment=told)))[0][1]
    assert (data["message_id"], data["in_reply_to"]) == ("review_comment.32", "review_comment.31")


def test_text_goes_to_the_edge_and_nowhere_else() -> None:
    draft = read(comment(BOB, "My patient Jane")).drafts[-1]
    assert draft.text == "My patient Jane"
    assert "Jane" not in repr(draft)
    assert "Jane" not in json.dumps(event(draft, "maintenance"))


@pytest.mark.parametrize("text", ["```\n", "~~~", "@a/b ", "@", "> @bob\n", "`@", "@bob"])
def test_hostile_text_costs_little(text: str) -> None:
    before = process_time()
    read(comment(ADA, text * (100_000 // len(text))))
    assert process_time() - before < 0.5


# The format


def test_kind_is_told_by_header_or_shape() -> None:
    for kind, payload in {
        "issues": issue("opened"),
        "pull_request": pull("opened"),
        "issue_comment": comment(BOB, "Hi"),
        "pull_request_review": review(BOB, "approved"),
        "pull_request_review_comment": pull("created", comment={"id": 1, "user": BOB, "created_at": at(1)}),
        "pull_request_review_thread": pull("resolved", thread={"node_id": "x", "comments": []}),
        "ping": {"zen": "Keep it simple."},
    }.items():
        assert read(payload) == read(payload, **{"x-github-event": kind})


def test_form_is_read_as_json_is() -> None:
    form = urlencode({"payload": json.dumps(issue("opened"))}).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert READ.read(delivery(form, kind), policy()) == read(issue("opened"))
    for broken, code in (
        (b"a=b", "missing_field"),
        (b"payload=%ff", "not_form"),
        (b"&".join([b"a=b"] * 99), "not_form"),
    ):
        with pytest.raises(InvalidEvent, match=code):
            READ.read(delivery(broken, kind), policy())


def test_unused_is_counted_by_a_closed_list_of_codes() -> None:
    assert read({}, **{"x-github-event": "push"}).unused == ("push",)
    assert read({"action": "Jane"}, **{"x-github-event": "star"}).unused == ("star",)
    assert read({}, **{"x-github-event": "jane"}).unused == ("other_event",)
    assert read(issue("jane")).unused == ("other_event",)
    assert read({}).unused == ("other_event",)


def test_missing_field_is_named() -> None:
    for without, field in (("repository", "repository"), ("issue", "issue")):
        payload = issue("opened")
        del payload[without]
        with pytest.raises(InvalidEvent, match=f"missing_field at {field}"):
            read(payload, **{"x-github-event": "issues"})


# Payloads by others


def fixtures(shared_data: Path) -> dict[str, Json]:
    folder = shared_data / "fixtures" / "github"
    return {path.name: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def test_organisation_webhook_says_the_same_as_the_one_of_the_repository(shared_data: Path) -> None:
    found = fixtures(shared_data)
    for name in found.keys() & {name.replace(".payload", ".with-organization.payload") for name in found}:
        alone = name.replace(".with-organization", "")
        assert read(found[name]) == read(found[alone])


def test_shape_tells_the_kind_of_every_fixture(shared_data: Path) -> None:
    for name, payload in fixtures(shared_data).items():
        assert read(payload) == read(payload, **{"x-github-event": name.partition("__")[0]})


def test_no_account_is_in_what_is_written_down(shared_data: Path) -> None:
    for payload in fixtures(shared_data).values():
        told = json.dumps([event(draft, "maintenance") for draft in read(payload).drafts])
        owner = payload["repository"]["owner"]
        for account in (payload["sender"], owner, payload.get("assignee") or owner):
            assert account["login"] not in told
            assert str(account["id"]) not in told


@pytest.mark.parametrize("put", [None, 7, {"login": 7}], ids=repr)
def test_any_damaged_fixture_is_read_or_refused(put: object, shared_data: Path) -> None:
    by_action = {name.partition(".")[0]: payload for name, payload in fixtures(shared_data).items()}
    for name, payload in by_action.items():
        for damaged in damages(payload, put):
            with suppress(InvalidEvent):
                for draft in read(damaged, **{"x-github-event": name.partition("__")[0]}).drafts:
                    event(draft, "maintenance")


def damages(payload: Json, put: object) -> list[Json]:
    """The payload with one field of its first two levels replaced, one after the other."""
    first = [{**payload, key: put} for key in payload]
    inner = [(key, child) for key, value in payload.items() if isinstance(value, dict) for child in value]
    return [*first, *({**payload, key: {**payload[key], child: put}} for key, child in inner)]


@settings(max_examples=300)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["ada", at(1), "created"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["action", "issue", "comment", "review", "user", "login", "id", "number", "labels", "x"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=25,
    )
)
def test_any_json_is_read_or_refused(payload: object) -> None:
    with suppress(InvalidEvent):
        READ.read(delivery(json.dumps(payload).encode()), policy())
