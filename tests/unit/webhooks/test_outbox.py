"""Who is told what, and when: once, in quiet hours not, again after a failure, and not for ever."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from schemas.calendar import Calendar, Hours
from schemas.signal import Delivery, Signal
from streams.client.backoff import Backoff
from streams.gateway.sources import SecretRef
from streams.webhooks.outbox import DIGEST_GRACE, SINCE, Message, Outbox, quiet_until
from streams.webhooks.sender import Outcome
from streams.webhooks.settings import Receiver, Webhook
from tests.unit.signals.findings import NOW, at, doubtful, ended, overdue, said, shifted

SECRET = b"whsec_" + b"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
NIGHT = Calendar(zone="UTC", hours=Hours(mon=("00:00-06:00", "20:00-24:00"), tue=("00:00-06:00",)))
BEGAN = at(-24 * 60)
TONIGHT, MORNING = at(11 * 60), at(20 * 60)
OK, NO = Outcome("delivered", 204), Outcome("failed", 503)


def receiver(name: str = "team", **fields: Any) -> Receiver:
    url = fields.pop("url", "https://example.org/hook")
    webhook = Webhook(url=SecretStr(url), secrets=(SecretRef(env="X"),), **fields)
    return Receiver(name, url, (SECRET,), webhook)


def outbox(*receivers: Receiver, quiet: Calendar | None = None, kept: Iterable[Delivery] = ()) -> Outbox:
    """One whose webhooks are known since `BEGAN`."""
    told = receivers or (receiver(),)
    found = Outbox(told, quiet, Backoff(first_s=5.0, longest_s=3600.0, chance=lambda: 1.0))
    marks = [Delivery(webhook=each.name, message=SINCE, state="since", at=BEGAN) for each in told]
    assert found.restore([*marks, *kept], NOW) == []
    return found


def sent(found: Outbox, now: datetime) -> list[tuple[str, str]]:
    return [(message.receiver.name, message.id) for message in found.due(now)]


def content(message: Message) -> dict[str, Any]:
    return dict(json.loads(message.body))


def test_a_signal_is_one_message_with_its_own_id_to_each_webhook_that_wants_it() -> None:
    found = outbox(receiver("a"), receiver("b", kinds={"tie_shifted"}), receiver("c", processes={"incident"}))
    signal = said(overdue())
    for _ in range(3):
        found.add([signal], NOW)
    assert sent(found, NOW) == [("a", signal.signal)]
    found.add([said(shifted())], NOW)
    assert {name for name, _ in sent(found, NOW)} == {"a", "b", "c"}


def test_a_new_webhook_is_told_of_what_is_said_from_then_on() -> None:
    found = Outbox([receiver()], None)
    assert found.restore([], NOW) == [Delivery(webhook="team", message=SINCE, state="since", at=NOW)]
    found.add([said(overdue(), -1), said(overdue("w2"), 0)], NOW)
    assert [message.id for message in found.waiting] == [said(overdue("w2")).signal]


def test_what_was_delivered_is_not_sent_again() -> None:
    found, signal = outbox(), said(overdue())
    found.add([signal], NOW)
    kept = found.answered(found.due(NOW)[0], OK, NOW)
    assert (kept.state, kept.attempts, kept.first_at, kept.next_at, kept.http_status) == (
        "delivered",
        1,
        NOW,
        None,
        204,
    )
    found.add([signal, ended(signal, 1)], NOW)
    assert found.waiting == []
    again = outbox(kept=[kept])
    again.add([signal], NOW, restoring=True)
    assert again.waiting == []


def test_a_failure_is_tried_again_later_and_later_with_one_id_and_one_body() -> None:
    found, now, waits = outbox(), NOW, []
    found.add([said(overdue())], NOW)
    bodies = set()
    for _ in range(6):
        (message,) = found.due(now)
        bodies.add((message.id, message.body))
        kept = found.answered(message, NO, now)
        assert kept.next_at is not None
        waits.append((kept.next_at - now).total_seconds())
        assert found.due(now) == []
        now = kept.next_at
    assert waits == [5, 10, 20, 40, 80, 160]
    assert len(bodies) == 1


def test_a_restart_goes_on_where_the_last_attempt_was() -> None:
    found, signal = outbox(), said(overdue())
    found.add([signal], NOW)
    before = found.due(NOW)[0].body
    kept = found.answered(found.due(NOW)[0], NO, NOW)
    again = outbox(kept=[kept])
    again.add([ended(signal, 0)], NOW, restoring=True)
    (message,) = again.waiting
    assert (message.attempts, message.first_at, message.due_at) == (1, NOW, kept.next_at)
    assert message.body == before


def test_after_a_day_of_attempts_a_message_is_given_up() -> None:
    found, now, attempts = outbox(), NOW, 0
    found.add([said(overdue())], NOW)
    while found.waiting:
        now = max(now, found.waiting[0].due_at)
        kept = found.answered(found.waiting[0], NO, now)
        attempts += 1
    assert (kept.state, now) == ("dead", NOW + timedelta(hours=24))
    assert 20 < attempts < 60
    found.add([said(overdue())], NOW)
    assert found.waiting == []


def test_a_receiver_that_says_when_to_come_back_is_not_asked_before() -> None:
    found = outbox()
    found.add([said(overdue())], NOW)
    kept = found.answered(found.due(NOW)[0], Outcome("failed", 429, "120"), NOW)
    assert kept.next_at == NOW + timedelta(seconds=120)


def test_a_receiver_that_is_gone_gets_nothing_more_until_its_address_changes() -> None:
    found = outbox()
    found.add([said(overdue()), said(overdue("w2"))], NOW)
    kept = found.answered(found.due(NOW)[0], Outcome("gone", 410), NOW)
    mark, left = found.stop(receiver(), NOW)
    assert (kept.state, mark.state, len(left)) == ("dead", "gone", 1)
    found.add([said(overdue("w3"))], NOW)
    assert found.waiting == []
    for url, messages in (("https://example.org/hook", 0), ("https://example.org/other", 1)):
        again = outbox(receiver(url=url), kept=[mark])
        again.add([said(overdue("w4"))], NOW)
        assert len(again.waiting) == messages


@pytest.mark.parametrize(
    ("minutes", "until"),
    [(0, None), (10 * 60, MORNING), (14 * 60, MORNING), (19 * 60 + 59, MORNING), (20 * 60, None)],
)
def test_quiet_hours_that_touch_at_midnight_are_one(minutes: float, until: datetime | None) -> None:
    assert quiet_until(NIGHT, at(minutes)) == until


def test_what_is_said_in_quiet_hours_comes_as_one_message_when_they_end() -> None:
    found = outbox(quiet=NIGHT)
    signals = [said(overdue(item), 11 * 60 + number) for number, item in enumerate(("w1", "w2", "w3"))]
    for signal in signals:
        found.add([signal], NOW)
    assert found.due(MORNING - timedelta(seconds=1)) == []
    (digest,) = found.due(MORNING + DIGEST_GRACE)
    told = content(digest)
    assert (told["type"], told["timestamp"], told["data"]["count"]) == (
        "tieline.signals.digest.v1",
        "2026-03-03T06:00:00Z",
        3,
    )
    assert {each["work_item"] for each in told["data"]["signals"]} == {"w1", "w2", "w3"}


def test_what_is_urgent_does_not_wait_for_the_end_of_quiet_hours() -> None:
    found = outbox(quiet=NIGHT)
    urgent = said(overdue("w1"), 11 * 60, urgent=True)
    found.add([urgent, said(overdue("w2"), 11 * 60)], NOW)
    assert sent(found, TONIGHT) == [("team", urgent.signal)]


def test_quiet_hours_that_begin_before_a_message_got_through_hold_it_back() -> None:
    found, late = outbox(quiet=NIGHT), at(10 * 60 - 1)
    found.add([said(overdue(), 10 * 60 - 1)], NOW)
    found.answered(found.due(late)[0], NO, late)
    assert found.due(TONIGHT) == []
    assert len(found.due(MORNING)) == 1


def test_a_digest_is_the_same_after_a_restart_and_takes_nothing_in_once_it_was_tried() -> None:
    signals = [said(overdue("w1"), 11 * 60), said(overdue("w2"), 12 * 60)]
    found = outbox(quiet=NIGHT)
    found.add(signals, NOW)
    now = MORNING + DIGEST_GRACE
    (digest,) = found.due(now)
    kept = found.answered(digest, NO, now)
    late = said(overdue("w3"), 20 * 60 - 0.01)
    found.add([late], NOW)
    assert [message.id for message in found.waiting if message.kind == "opened"] == [late.signal]
    again = outbox(quiet=NIGHT, kept=[kept])
    again.add([ended(signals[0], 13 * 60), signals[1]], NOW, restoring=True)
    (restored,) = again.waiting
    assert (restored.id, restored.body, restored.attempts) == (digest.id, digest.body, 1)


def test_a_digest_that_was_delivered_is_not_sent_again_after_a_restart() -> None:
    found = outbox(quiet=NIGHT)
    signal = said(overdue(), 11 * 60)
    found.add([signal], NOW)
    kept = found.answered(found.waiting[0], OK, MORNING + DIGEST_GRACE)
    again = outbox(quiet=NIGHT, kept=[kept])
    again.add([signal], NOW, restoring=True)
    assert again.waiting == []


def test_the_end_of_a_signal_is_told_to_whom_wants_to_know_it_with_an_id_of_its_own() -> None:
    found = outbox(receiver("a"), receiver("b", closings=True))
    signal = ended(said(overdue()), 5)
    found.add([signal], NOW)
    told = {(message.receiver.name, message.id): content(message) for message in found.waiting}
    assert told.keys() == {("a", signal.signal), ("b", signal.signal), ("b", f"{signal.signal}-closed")}
    closing = told["b", f"{signal.signal}-closed"]
    assert (closing["type"], closing["data"]["closed_at"]) == ("tieline.signal.closed.v1", "2026-03-02T10:05:00Z")


SIGNALS = [said(overdue()), said(shifted()), said(doubtful()), said(overdue(kind="problem_unanswered"))]


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.kind)
def test_a_message_says_what_happened_when_and_no_event_id(signal: Signal) -> None:
    found = outbox()
    found.add([signal], NOW)
    told = content(found.waiting[0])
    assert told["type"] == "tieline.signal.opened.v1"
    assert told["timestamp"] == "2026-03-02T10:00:00Z"
    assert told["data"]["signal"] == signal.signal
    assert told["data"]["at"] == signal.at.isoformat().replace("+00:00", "Z")
    assert told["data"]["text"]
    assert "event_ids" not in told["data"]


@pytest.mark.parametrize("word", ["better", "worse", "best", "worst", "rank", "poor", "good", "value", "estimate"])
def test_a_shifted_tie_is_told_without_a_figure_or_a_judgement(word: str) -> None:
    found = outbox()
    found.add([said(shifted())], NOW)
    assert word not in found.waiting[0].body.decode()


def test_the_end_of_a_signal_that_was_told_long_ago_does_not_tell_its_beginning_again() -> None:
    later = NOW + timedelta(days=20)
    for restoring in (False, True):
        found = outbox(receiver(closings=True))
        signal = said(overdue())
        found.add([ended(signal, 20 * 24 * 60)], later, restoring)
        assert [message.kind for message in found.waiting] == ["closed"]


def test_a_signal_that_is_open_again_is_not_told_again() -> None:
    found, signal = outbox(), said(overdue())
    found.add([signal], NOW)
    found.answered(found.due(NOW)[0], OK, NOW)
    found.add([ended(signal, 5), said(overdue(), said_at=at(10))], at(10))
    assert found.waiting == []
