"""The mapping: how the attributes of somebody's log become Tieline events. `docs/importing.md` explains each field."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.calendar import Zone
from schemas.vocabulary import Code, ProcessName, SiteName, SourceName

Level = Literal["event", "trace"]
Meaning = Literal["opened", "reopened", "resumed", "waiting", "working", "paused", "closed", "ignore"]

XES_TIME = "time:timestamp"
XES_NAME = "concept:name"
_EXCLUSIVE: tuple[tuple[Meaning, Meaning], ...] = (
    ("waiting", "working"),
    ("paused", "resumed"),
    ("opened", "reopened"),
    ("reopened", "closed"),
)


def as_tuple(given: object) -> object:
    """One value may stand where a list is expected."""
    if isinstance(given, list):
        return tuple(given)
    return (given,) if isinstance(given, str | int | float) else given


def as_reference(given: object) -> object:
    """`role: org:group` is short for `role: {attribute: org:group}`."""
    return {"attribute": given} if isinstance(given, str) else given


def _text_encoding(name: str) -> str:
    try:
        if isinstance(codecs.decode(b"", name), str):
            return name
    except (LookupError, ValueError):
        pass
    raise ValueError(f"{name!r} is not a known text encoding")


def _dated_format(name: str) -> str:
    """A format that reads back the day it wrote, and leaves zones to `zone` or `%z`."""
    if name in ("iso", "epoch_s", "epoch_ms"):
        return name
    if "%Z" in name:
        raise ValueError("%Z cannot be read reliably: use %z for offsets, or `zone` for local times")
    sample = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    try:
        read = datetime.strptime(sample.strftime(name), name)
    except ValueError:
        read = None
    if read is None or read.date() != sample.date():
        raise ValueError(
            "expected iso, epoch_s, epoch_ms, or a strptime format with year, month and day such as %d/%m/%Y %H:%M"
        )
    return name


Text = Annotated[str, Field(min_length=1, max_length=512)]
Match = Annotated[str, Field(max_length=512)]
Patterns = Annotated[tuple[Match, ...], BeforeValidator(as_tuple), Field(min_length=1)]
OptionalPatterns = Annotated[tuple[Match, ...], BeforeValidator(as_tuple)]
Meanings = Annotated[tuple[Meaning, ...], BeforeValidator(as_tuple), Field(min_length=1)]
OneCharacter = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[^\r\n\x00]$")]


class MappingPart(BaseModel):
    """Strict about types, because YAML turns an unquoted `no` or `3` into something that is not text."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class AttributeRef(MappingPart):
    """An attribute (XES) or column (CSV); `level: trace` is an attribute of the XES trace instead of its event."""

    attribute: Text
    level: Level = "event"


class WorkItemRef(MappingPart):
    """The id of the work item; in XES an attribute of the trace, unless said otherwise."""

    attribute: Text = XES_NAME
    level: Level | None = None


class RoleRef(AttributeRef):
    """The role that owns the work item from this event on.

    Attributes:
        missing: an event without a role is skipped, or (`states`) still says what needs no role: opened, paused,
            resumed, closed, reopened.
    """

    missing: Literal["skip", "states"] = "skip"


class ActorWords(MappingPart):
    """Values and shell patterns say which actors are not people; all others are `otherwise`."""

    systems: OptionalPatterns = ()
    bots: OptionalPatterns = ()
    unknown: OptionalPatterns = ()
    otherwise: Literal["human", "unknown"] = "human"


class ActorRef(AttributeRef, ActorWords):
    """Who acted."""


class SiteRef(MappingPart):
    """Where: one place for the whole log (`value`), or an attribute of each event or trace."""

    value: SiteName | None = None
    attribute: Text | None = None
    level: Level = "event"

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.attribute is None):
            raise ValueError("expected either `value` or `attribute`")
        return self


class TimeRef(MappingPart):
    """When an event happened.

    Attributes:
        format: `iso`, `epoch_s`, `epoch_ms`, or a strptime format.
        zone: IANA zone of times that carry no offset of their own; without it those are skipped.
        ambiguous: a local time that occurs twice (clocks go back) is the earlier one, the later one, or skipped.
        nonexistent: a local time that clocks jumped over is moved forward by the jump, or skipped.
    """

    attribute: Text = XES_TIME
    format: Annotated[Text, AfterValidator(_dated_format)] = "iso"
    zone: Zone | None = None
    ambiguous: Literal["earlier", "later", "skip"] = "earlier"
    nonexistent: Literal["shift", "skip"] = "shift"

    @model_validator(mode="after")
    def _local_times_have_a_zone(self) -> Self:
        if "%" in self.format and "%z" not in self.format and self.zone is None:
            raise ValueError("this format has no offset (%z), so `zone` is needed, e.g. Europe/Brussels or UTC")
        return self


class State(MappingPart):
    """A rule: events whose attributes all match `when` mean `means`. The first rule that matches decides.

    Attributes:
        when: attribute → a value, a shell pattern, or a list of them; a missing attribute is the empty text.
        reason: the coded reason of a pause, which a policy may list as stopping the clock.
    """

    when: Annotated[dict[Text, Patterns], Field(min_length=1)]
    means: Meanings
    reason: Code | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse_contradictions(self.means)
        if ("paused" in self.means) != (self.reason is not None):
            raise ValueError("`reason` belongs to `means: paused`, and only to it: a short code such as `wait`")
        return self


class CsvOptions(MappingPart):
    """How the file is written down; RFC 4180 in UTF-8 (with or without a byte order mark) unless said otherwise."""

    delimiter: OneCharacter = ","
    quote: OneCharacter = '"'
    encoding: Annotated[Text, AfterValidator(_text_encoding)] = "utf-8-sig"

    @model_validator(mode="after")
    def _tell_apart(self) -> Self:
        if self.delimiter == self.quote:
            raise ValueError("`delimiter` and `quote` are the same character")
        return self


class Mapping(MappingPart):
    """One kind of log.

    Attributes:
        format: if the ending of a file does not tell it.
        process: may be overridden for an import; one of the two is needed.
        source: CloudEvents source of the events; `urn:tieline:import:<process>` if not given.
        missing_values: values that mean *nothing was recorded* for role, actor, site and work item.
        otherwise: what an event means that no rule matches; `waiting` uses nothing but its owner.
    """

    format: Literal["xes", "csv"] | None = None
    process: ProcessName | None = None
    source: SourceName | None = None
    site: SiteRef | None = None
    work_item: Annotated[WorkItemRef, BeforeValidator(as_reference)] | None = None
    time: Annotated[TimeRef, BeforeValidator(as_reference)] | None = None
    role: Annotated[RoleRef, BeforeValidator(as_reference)]
    actor: Annotated[ActorRef, BeforeValidator(as_reference)] | None = None
    missing_values: OptionalPatterns = ()
    states: Annotated[tuple[State, ...], BeforeValidator(as_tuple)] = ()
    otherwise: Meanings = ("waiting",)
    csv: CsvOptions | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse_contradictions(self.otherwise)
        if "paused" in self.otherwise:
            raise ValueError("`otherwise` cannot pause: a pause needs a rule with its reason")
        if self.format == "csv":
            self.check_csv()
        return self

    def check_csv(self) -> None:
        """Raises: ValueError: something that only an XES log has or may leave out."""
        for name in ("work_item", "time"):
            if name not in self.model_fields_set:
                raise ValueError(f"a CSV log needs `{name}`: which column is it?")
        for name in ("work_item", "role", "actor", "site"):
            if getattr(getattr(self, name), "level", None) == "trace":
                raise ValueError(f"`{name}.level: trace` is for XES: a CSV log has only rows")


def refuse_contradictions(means: tuple[Meaning, ...]) -> None:
    """Raises: ValueError: meanings that cannot be true of one event."""
    if len(set(means)) != len(means):
        raise ValueError("a meaning is listed twice")
    if "ignore" in means and len(means) > 1:
        raise ValueError("`ignore` stands alone")
    for one, other in _EXCLUSIVE:
        if one in means and other in means:
            raise ValueError(f"an event cannot be both {one} and {other}")


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model that a field's annotation is about, however it is wrapped; for error messages."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = getattr(annotation, "__args__", ())
    return next((found for part in inner if (found := model_of(part))), None)
