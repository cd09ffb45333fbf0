"""Registered interventions as annotations of the organisation: any dashboard can show them by their tags.

Our own dashboards ask the store for them instead, so that nothing is shown twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from deploy.grafana.api import Grafana, Json
from deploy.grafana.change import Change
from deploy.grafana.compare import differences
from deploy.grafana.marks import INTERVENTION, TAG
from schemas.errors import TielineError, TransientError
from sinks.clickhouse.faults import fault_of

_LONGEST_TAG = 100  # Grafana's table of tags holds no more
_ASKED = """SELECT process, site, intervention, started_at, ended_at, name, kind, hypothesis
FROM quality_interventions ORDER BY process, site, intervention"""


@dataclass(frozen=True, slots=True)
class Intervention:
    """A change that people try on purpose. `ended_at` None: still going on."""

    process: str
    site: str
    id: str
    started_at: datetime
    ended_at: datetime | None
    name: str
    kind: str
    hypothesis: str = ""

    @property
    def mark(self) -> str:
        """The tag that tells it from the others."""
        place = f"{self.process}/{self.site}/{self.id}" if self.site else f"{self.process}/{self.id}"
        tag = f"{INTERVENTION}:{place}"
        return tag if len(tag) <= _LONGEST_TAG else f"{INTERVENTION}:{hashlib.sha256(place.encode()).hexdigest()[:32]}"


def read_interventions(client: Client) -> list[Intervention]:
    """All that the store knows, as everybody may read them.

    Raises: TielineError: the store does not tell; TransientError: it does not answer.
    """
    try:
        rows = client.query(_ASKED).result_rows
    except ClickHouseError as error:
        fault = fault_of(error)
        if fault.code == 0:
            raise TransientError("ClickHouse does not tell the interventions; try again") from error
        raise TielineError(
            f"ClickHouse does not tell the interventions (code {fault.code}): run `tieline migrate` and check the"
            " account, or push with --no-interventions"
        ) from error
    found = []
    for row in rows:
        process, site, number, started_at, ended_at, name, kind, hypothesis = row
        ended = _utc(ended_at) if ended_at else None
        found.append(Intervention(process, site, number, _utc(started_at), ended, name, str(kind), hypothesis))
    return found


def annotation(intervention: Intervention) -> Json:
    """As Grafana takes it. Times are milliseconds; one that goes on has no end."""
    about = f"{intervention.kind}: {intervention.hypothesis}" if intervention.hypothesis else intervention.kind
    body: Json = {
        "time": _milliseconds(intervention.started_at),
        "tags": [TAG, INTERVENTION, intervention.mark, f"process:{intervention.process}"[:_LONGEST_TAG]],
        "text": f"{intervention.name} ({about})",
    }
    if intervention.ended_at is not None:
        body["timeEnd"] = _milliseconds(intervention.ended_at)
    return body


def plan_interventions(grafana: Grafana, wanted: Sequence[Intervention], prune: bool) -> Iterator[Change]:
    """One annotation for each, found again by its mark."""
    present: dict[str, Json] = {}
    repeated: list[Json] = []
    for found in sorted(grafana.annotations([TAG, INTERVENTION]), key=lambda found: int(found["id"])):
        mark = _mark_of(found)
        if mark and mark in present:
            repeated.append(found)
        elif mark:
            present[mark] = found
    for intervention in wanted:
        yield _plan(grafana, present.pop(intervention.mark, None), intervention)
    for found in (*present.values(), *repeated):
        yield _forgotten(grafana, found, prune)


def _plan(grafana: Grafana, present: Json | None, intervention: Intervention) -> Change:
    body = annotation(intervention)
    if present is None:
        return Change("create", "annotation", intervention.name, apply=lambda: grafana.create_annotation(body))
    # Of one without an end Grafana says that it ended when it began.
    wanted = {"timeEnd": body["time"], **body}
    shown = {**present, "tags": sorted(present.get("tags") or [])}
    found = differences({**wanted, "tags": sorted(body["tags"])}, shown)
    if not found:
        return Change("unchanged", "annotation", intervention.name)
    number = int(present["id"])
    return Change(
        "update", "annotation", intervention.name, found, apply=lambda: grafana.update_annotation(number, wanted)
    )


def _forgotten(grafana: Grafana, found: Json, prune: bool) -> Change:
    name, number = str(found.get("text")), int(found["id"])
    if not prune:
        return Change("kept", "annotation", name, note="not in the store: --prune removes it")
    return Change("delete", "annotation", name, apply=lambda: grafana.delete_annotation(number))


def _mark_of(found: Json) -> str:
    return next((tag for tag in found.get("tags") or [] if str(tag).startswith(f"{INTERVENTION}:")), "")


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
