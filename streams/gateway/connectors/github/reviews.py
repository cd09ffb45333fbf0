"""Reviews: asked of a team or a person, answered by a review. The one handoff that GitHub records with its answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from streams.gateway.connectors.github.changes import changed_at, stamp
from streams.gateway.connectors.github.messages import Message, told_and_done
from streams.gateway.connectors.github.requests import WITHDRAWN, Request
from streams.gateway.connectors.github.webhook import Webhook
from streams.gateway.connectors.github.work_item import account
from streams.gateway.connectors.ownership import NO_ROLE, PLACES
from streams.gateway.edge.draft import Acting, Draft, Reading

ALREADY_ASKED, NOT_ASKED = "review_already_requested", "review_not_requested"
_PLACE = {
    "handoff.offered": PLACES,
    "handoff.accepted": PLACES,
    "work_item.worked": PLACES + 1,
    "handoff.returned": PLACES + 2,
    "handoff.withdrawn": PLACES + 2,
}
"""Order within one second; a message comes behind."""
_SAY_SOMETHING = frozenset({"approved", "changes_requested"})


def requested(webhook: Webhook) -> Reading:
    """A consult: what is asked for is an answer; the pull request stays with those who asked."""
    at, team, to_role = changed_at(webhook), *_asked(webhook)
    from_role = _asking_role(webhook)
    if not to_role or not from_role:
        return Reading(unused=(NO_ROLE,))
    # By the role, not by the account: an id is written down, and an account's number is a person's.
    handoff_id = f"{webhook.item.key}:review:{stamp(at)}:{to_role}"
    offer = webhook.requests().ask(Request(handoff_id, from_role, to_role, stamp(at), team), _teams(webhook))
    if offer is None:
        return Reading(unused=(ALREADY_ASKED,))
    data = {"handoff_id": handoff_id, "from_role": offer.from_role, "to_role": to_role, "intent": "consult"}
    return Reading(
        (
            Draft(
                type="tieline.handoff.offered.v1",
                id=f"{handoff_id}:offered",
                time=at,
                subject=webhook.item.subject,
                data=data,
                actor=webhook.sender,
                sequence=_PLACE["handoff.offered"],
            ),
        )
    )


def request_removed(webhook: Webhook) -> Reading:
    at, team, to_role = changed_at(webhook), *_asked(webhook)
    ending = f"{WITHDRAWN}{stamp(at)}:{team or to_role}"
    ended = webhook.requests().end(ending, stamp(at), (to_role,), team)
    drafts = tuple(_act(webhook, one, "handoff.withdrawn", one.from_role, webhook.sender, at) for one in ended)
    return Reading(drafts, () if drafts else (NOT_ASKED,))


def submitted(webhook: Webhook) -> Reading:
    """Takes what was asked for and gives it back answered, whatever the answer; with a text it is a message, too.

    An inline comment comes as a review without text, and as a comment of its own, which is the one that counts.
    """
    item, review = webhook.item, webhook.json.child("review")
    reviewer, at = account(review.child_or("user")), review.time("submitted_at")
    own = reviewer is not None and reviewer == item.author
    answered = [] if own or reviewer is None or reviewer.kind == "bot" else _answered(webhook, reviewer, stamp(at))
    acts = tuple(draft for one in answered for draft in _answer(webhook, one, reviewer, at))
    text, state = review.free_text("body"), review.text_or("state").lower()
    if not text.strip() and state not in _SAY_SOMETHING:
        return Reading(acts, () if acts else (NOT_ASKED,))
    role = answered[0].to_role if answered else item.role_at_work(reviewer, review.text_or("author_association"))
    to = (item.author_role,) if item.author_role and not own else ()
    return told_and_done(webhook, Message(f"review.{review.ident('id')}", at, reviewer, role, to, text), *acts)


def _asked(webhook: Webhook) -> tuple[str, str]:
    """The slug of the team that was asked, empty for a person; and the role."""
    team = webhook.json.child_or("requested_team")
    if team is not None:
        slug = team.text_or("slug") or team.text("name")
        return slug, webhook.roles.named("group", slug)
    asked = account(webhook.json.child_or("requested_reviewer"))
    return "", webhook.roles.of_actor(asked) if asked else ""


def _asking_role(webhook: Webhook) -> str:
    """Who asks; what a rule of the repository asks, it asks for who opened the pull request."""
    sender = webhook.sender
    if sender is None or sender.kind == "bot":
        return webhook.item.author_role
    return webhook.item.role_of(sender)


def _answered(webhook: Webhook, reviewer: Acting, at: str) -> list[Request]:
    """What a review answers: what was asked of the reviewer's role, and of teams that are no longer asked for it."""
    requests, role = webhook.requests(), webhook.roles.of_actor(reviewer)
    told = webhook.item.json.has("requested_teams")
    done = requests.without(_teams(webhook).values()) if told else ()
    return requests.end(f"review.{webhook.json.ident('review.id')}", at, [one for one in (role, *done) if one])


def _teams(webhook: Webhook) -> dict[str, str]:
    """Role → slug of the teams that are asked at the moment."""
    slugs = [team.text_or("slug") for team in webhook.item.json.children("requested_teams")]
    return {webhook.roles.named("group", slug): slug for slug in slugs if slug}


def _answer(webhook: Webhook, one: Request, reviewer: Acting | None, at: datetime) -> Iterator[Draft]:
    """Taken, done, given back. Without the work in between it would be a handoff that bounced."""
    for what in ("handoff.accepted", "work_item.worked", "handoff.returned"):
        yield _act(webhook, one, what, one.to_role, reviewer, at)


def _act(webhook: Webhook, one: Request, what: str, role: str, actor: Acting | None, at: datetime) -> Draft:
    data = {"role": role} if what == "work_item.worked" else {"handoff_id": one.handoff_id, "role": role}
    return Draft(
        type=f"tieline.{what}.v1",
        id=f"{one.handoff_id}:{what.rpartition('.')[2]}",
        time=at,
        subject=webhook.item.subject,
        data=data,
        actor=actor,
        sequence=_PLACE[what],
    )
