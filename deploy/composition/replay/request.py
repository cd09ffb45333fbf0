"""What somebody asks of a replay, and what becomes of it beside what there is already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from schemas.errors import ConfigError, TielineError
from schemas.policy import PolicyBook
from schemas.rows import METHOD_VERSION
from schemas.vocabulary import EARLIEST, LATEST
from sinks.clickhouse.records import RunRecord
from sinks.clickhouse.run_policy import policy_book, policy_text
from sinks.clickhouse.runs import LIVE
from streams.replay.scope import Scope

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class RunExistsError(TielineError):
    """A run of that name is there, and is not to be overwritten.

    Operator action: choose another name, continue it with `--resume`, or delete it with `tieline runs delete`.
    """


@dataclass(frozen=True, slots=True)
class Request:
    """As asked; None and empty are *not said*: without a run to continue, that is everything there is.

    Attributes:
        as_of: None: the newest event of the source.
        policies: None: those of the run that is continued, or, for a new one, `usual`.
        usual: what the apps would use.
    """

    run: str
    from_at: datetime | None = None
    to_at: datetime | None = None
    as_of: datetime | None = None
    process: str = ""
    role: str = ""
    policies: PolicyBook | None = None
    usual: PolicyBook | None = None

    def check(self, now: datetime) -> None:
        """Raises: ConfigError: this can be no replay, whatever there is in the store."""
        if self.run == LIVE:
            raise ConfigError("`live` is what the apps write; a replay needs a name of its own")
        if not _NAME.fullmatch(self.run):
            raise ConfigError("--run: up to 64 small letters, digits, and . _ -, starting with a letter or a digit")
        if self.from_at and self.to_at and self.from_at >= self.to_at:
            raise ConfigError("--from must be before --to")
        if self.as_of and self.as_of > now:
            raise ConfigError("--as-of lies in the future: nobody knows yet what is true then")

    def begun(self, source: str, newest_at: datetime | None, now: datetime) -> RunRecord:
        """The record of a new run.

        Raises: TielineError: there is no event to replay.
        """
        as_of = self.as_of or newest_at
        if newest_at is None or as_of is None:
            raise TielineError("there are no events to replay")
        policies = self.policies or self.usual or PolicyBook()
        return RunRecord(
            run=self.run,
            kind="replay",
            status="running",
            processes=(self.process,) if self.process else (),
            from_at=self.from_at,
            to_at=self.to_at,
            as_of=min(as_of, now),
            policy_versions=tuple(policy.version for policy in policies.policies),
            method_version=METHOD_VERSION,
            started_at=now,
            policy=policy_text(policies),
            role=self.role,
            source=source,
        )

    def continued(self, found: RunRecord, source: str, now: datetime) -> RunRecord:
        """The record of a run that goes on.

        Raises: RunExistsError: it is finished, or was made of something else. What is not said is as it was.
        """
        if found.kind != "replay":
            raise RunExistsError(f"run {self.run!r} is no replay")
        if found.status == "finished":
            raise RunExistsError(f"run {self.run!r} is finished; replay under another name, or delete it first")
        differing = [name for name, differs in self._differing(found, source).items() if differs]
        if differing:
            raise RunExistsError(f"run {self.run!r} was begun with another {' and another '.join(differing)}")
        return found.model_copy(update={"status": "running", "started_at": now})

    def _differing(self, found: RunRecord, source: str) -> dict[str, bool]:
        return {
            "--from": self.from_at is not None and self.from_at != found.from_at,
            "--to": self.to_at is not None and self.to_at != found.to_at,
            "--as-of": self.as_of is not None and self.as_of != found.as_of,
            "--process": bool(self.process) and (self.process,) != found.processes,
            "--role": bool(self.role) and self.role != found.role,
            "--policy": self.policies is not None and policy_text(self.policies) != found.policy,
            "--source": source != found.source,
            "method": found.method_version != METHOD_VERSION,
        }


def scope_of(record: RunRecord) -> Scope:
    """What a run computes. The policy is the recorded one, so that what is computed is what is recorded."""
    assert record.as_of is not None
    return Scope(
        run=record.run,
        policies=policy_book(record.policy),
        as_of=record.as_of,
        from_at=record.from_at or EARLIEST,
        to_at=record.to_at or LATEST,
        process=record.processes[0] if record.processes else "",
        role=record.role,
    )
