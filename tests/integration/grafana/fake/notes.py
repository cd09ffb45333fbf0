"""Annotations of the organisation."""

from __future__ import annotations

from typing import Any

from tests.integration.grafana.fake.answers import Answer, Json, Refusal, Request


class Notes:
    """Annotations by their number."""

    def __init__(self) -> None:
        self.notes: dict[int, Json] = {}
        self._next = 1

    def routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", r"/annotations", self._find),
            ("POST", r"/annotations", lambda request: self._create(request.body)),
            ("PATCH", r"/annotations/(\d+)", lambda request, number: self._update(int(number), request.body)),
            ("DELETE", r"/annotations/(\d+)", lambda _, number: self._delete(int(number))),
        ]

    def put_note(self, **body: Any) -> int:
        """As somebody in front of Grafana writes it."""
        number, self._next = self._next, self._next + 1
        self.notes[number] = {
            "id": number,
            "alertId": 0,
            "dashboardId": 0,
            "panelId": 0,
            "timeEnd": body["time"],
            "login": "somebody",
            "created": 0,
            "updated": 0,
            **body,
        }
        return number

    def _find(self, request: Request) -> Answer:
        tags, most = set(request.query.get("tags", [])), int(request.query.get("limit", ["100"])[0])
        return Answer(body=[note for note in self.notes.values() if tags <= set(note["tags"])][:most])

    def _create(self, body: Json) -> Answer:
        if not body.get("text"):
            raise Refusal(400, "text field should not be empty")
        if any(len(tag) > 100 for tag in body["tags"]):
            raise Refusal(500, "value too long for type character varying(100)")
        return Answer(body={"id": self.put_note(**body), "message": "Annotation added"})

    def _update(self, number: int, body: Json) -> Answer:
        if number not in self.notes:
            raise Refusal(404, "Could not find annotation to update")
        self.notes[number].update(body)
        return Answer(body={"message": "Annotation patched"})

    def _delete(self, number: int) -> Answer:
        self.notes.pop(number, None)
        return Answer(body={"message": "Annotation deleted"})
