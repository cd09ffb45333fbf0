"""Which offsets may be committed. Pure: no I/O, no clock, one event loop.

Faust's own acknowledgements are not used: they move when a commit fails and can pass an unfinished message
(faust-streaming issues 316 and 606). Here an offset is committed only after the application called it safe, under
the assignment it was read under, and believed committed only after the broker said so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.errors import InvariantError
from streams.transport.batch import PartitionBatch, TopicPartition


class Mark(NamedTuple):
    """A safe offset and the assignment it belongs to."""

    next_offset: int
    assignment: int


@dataclass(slots=True)
class _Held:
    """What is known of one partition while it is ours.

    Attributes:
        under_way: ends of the batches delivered and not yet taken up, in order.
    """

    assignment: int
    delivered: int | None = None
    safe: int = -1
    committed: int = -1
    under_way: deque[int] = field(default_factory=deque)


class Offsets:
    """The offset rule of one worker, per partition it holds."""

    def __init__(self) -> None:
        self._held: dict[TopicPartition, _Held] = {}
        self._last_assignment = 0

    def assign(self, tps: Iterable[TopicPartition]) -> None:
        """Start a new assignment of these partitions; marks of earlier ones become void."""
        for tp in tps:
            self._last_assignment += 1
            self._held[TopicPartition(*tp)] = _Held(self._last_assignment)

    def start_at(self, tp: TopicPartition, position: int) -> None:
        """Reading of a held partition starts here; everything before it counts as committed.

        Raises: InvariantError: the partition is not held.
        """
        held = self._held.get(tp)
        if held is None:
            raise InvariantError(f"{tp} starts at {position} but is not assigned")
        held.delivered = held.safe = held.committed = position

    def revoke(self, tps: Iterable[TopicPartition]) -> None:
        """These partitions are no longer ours; unknown ones are ignored."""
        for tp in tps:
            self._held.pop(TopicPartition(*tp), None)

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions held now."""
        return frozenset(self._held)

    def assignment_of(self, tp: TopicPartition) -> int | None:
        """The current assignment of `tp`, None while it is not held."""
        held = self._held.get(tp)
        return None if held is None else held.assignment

    def is_current(self, batch: PartitionBatch) -> bool:
        """Whether the batch belongs to the partition's current assignment; only then may its results be written."""
        return self.assignment_of(batch.tp) == batch.assignment

    def delivered(self, batch: PartitionBatch) -> None:
        """The batch is on its way to the application; only delivered offsets can be marked."""
        held = self._held.get(batch.tp)
        if held is not None and held.assignment == batch.assignment:
            held.delivered = max(batch.next_offset, held.delivered or 0)
            held.under_way.append(batch.next_offset)

    def taken_up(self, batch: PartitionBatch) -> None:
        """The handler is about to get this batch. Void for a batch of an earlier assignment.

        Raises: InvariantError: it is not the next one; what was dropped on the way must not be committed over.
        """
        held = self._held.get(batch.tp)
        if held is None or held.assignment != batch.assignment:
            return
        due = held.under_way.popleft() if held.under_way else None
        if due != batch.next_offset:
            raise InvariantError(f"{batch.tp}: a batch that ends at {due} never came, one to {batch.next_offset} did")

    def delivered_up_to(self, tp: TopicPartition) -> int | None:
        """Where delivery of `tp` goes on; None while it is not held or still being restored."""
        held = self._held.get(tp)
        return None if held is None else held.delivered

    def safe_up_to(self, tp: TopicPartition) -> int | None:
        """Everything of `tp` before this is safe; None while it is not held or still being restored."""
        held = self._held.get(tp)
        return None if held is None or held.delivered is None else held.safe

    def mark_safe(self, batch: PartitionBatch) -> bool:
        """Everything up to the end of this batch is safe to forget: see `mark_safe_up_to`."""
        return self.mark_safe_up_to(batch.tp, batch.next_offset, batch.assignment)

    def mark_safe_up_to(self, tp: TopicPartition, next_offset: int, assignment: int) -> bool:
        """Everything before `next_offset` is safe: outputs and state are acknowledged. Never moves back.

        Returns: False when the mark is void, because the partition was given up or assigned anew since.
        Raises: InvariantError: the offset was never delivered under this assignment.
        """
        held = self._held.get(tp)
        if held is None or held.assignment != assignment:
            return False
        if held.delivered is None or next_offset > held.delivered:
            raise InvariantError(f"{tp}: {next_offset} marked safe, delivered only {held.delivered}")
        held.safe = max(held.safe, next_offset)
        return True

    def uncommitted(self) -> dict[TopicPartition, Mark]:
        """Safe offsets that the broker has not yet acknowledged."""
        return {
            tp: Mark(held.safe, held.assignment)
            for tp, held in self._held.items()
            if held.safe > held.committed and held.delivered is not None
        }

    def acknowledged(self, marks: Mapping[TopicPartition, Mark]) -> None:
        """The broker has committed these; the only thing that moves what we believe committed."""
        for tp, mark in marks.items():
            held = self._held.get(tp)
            if held is not None and held.assignment == mark.assignment:
                held.committed = max(held.committed, mark.next_offset)

    def committed(self, tp: TopicPartition) -> int | None:
        """The last offset the broker acknowledged under the current assignment, None if none."""
        held = self._held.get(tp)
        return None if held is None or held.committed < 0 else held.committed
