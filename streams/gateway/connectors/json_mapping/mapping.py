"""The mapping of JSON payloads: the words of the log import's mapping files, with expressions where those have
attributes. `docs/connectors/json.md` explains each field."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from schemas.events import EVENT_TYPES
from schemas.vocabulary import Code, ProcessName, SiteName, SourceName
from streams.gateway.connectors.connector import RoleKind
from streams.gateway.connectors.json_mapping.contract_field import contract_fields
from streams.gateway.connectors.json_mapping.expression import MAX_CHARACTERS, expression
from streams.gateway.log_import.mapping import (
    ActorWords,
    MappingPart,
    Meanings,
    OptionalPatterns,
    Patterns,
    State,
    TimeRef,
    as_reference,
    as_tuple,
    refuse_contradictions,
)
from streams.gateway.log_import.mapping_file import suggestion

MAX_RULES = 200
CLASSIFIED = "kind"
"""The field of a response that the policy's word rules can tell from its text."""


def _compiles(text: str) -> str:
    expression(text)
    return text


def _known_type(name: str) -> str:
    if name not in EVENT_TYPES:
        raise ValueError(f"{name!r} is no event of the contract{suggestion(name, sorted(EVENT_TYPES))}")
    return name


ExpressionText = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS), AfterValidator(_compiles)]
When = dict[ExpressionText, Patterns]
Constant = bool | int | float | str


class ValueRef(MappingPart):
    """What an expression finds."""

    attribute: ExpressionText


class PayloadTime(TimeRef):
    """When it happened; numbers are taken by their digits."""

    attribute: ExpressionText


class PayloadRole(ValueRef):
    """The role that owns the work item from now on.

    Attributes:
        kind: what the source calls it by, which says in which of the policy's maps it is looked up.
        missing: as in a log: an entry without a role is of no use, or (`states`) still says what needs no role.
    """

    kind: RoleKind = "group"
    missing: Literal["skip", "states"] = "skip"


class PayloadActor(ValueRef, ActorWords):
    """Who acted. `kind` is an expression for sources that say themselves whether that is a person."""

    kind: ExpressionText | None = None


class PayloadSite(MappingPart):
    """Where: one place (`value`), or what an expression finds."""

    value: SiteName | None = None
    attribute: ExpressionText | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.attribute is None):
            raise ValueError("expected either `value` or `attribute`")
        return self


class DataRef(MappingPart):
    """One field of an event's data.

    Attributes:
        value: the same for all events; or
        attribute: what an expression finds.
        kind: for roles, as `PayloadRole.kind`; `group` if not given.
        values: the source's word → the contract's. A word that is not listed is taken as it is.
        otherwise: in place of every word that `values` does not list.
    """

    value: Constant | None = None
    attribute: ExpressionText | None = None
    kind: RoleKind | None = None
    values: dict[str, Constant] = Field(default_factory=dict)
    otherwise: Constant | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.value is None) == (self.attribute is None):
            raise ValueError("expected either `value` or `attribute`")
        if self.value is not None and (self.values or self.kind or self.otherwise is not None):
            raise ValueError("`values`, `otherwise` and `kind` are for an `attribute`")
        return self


class EventRule(MappingPart):
    """One event of the contract, for every entry that matches `when` (every entry, if there is none).

    Attributes:
        id: unique within the source; else made from work item, time and data.
        data: by field of the contract.
        elements: which parts of a handover were there: name → an expression; a part is there if something is found.
        text: free text that said it, for the policy's word rules; it is classified and dropped.
    """

    when: When = Field(default_factory=dict)
    type: Annotated[str, AfterValidator(_known_type)]
    id: ExpressionText | None = None
    work_item: ExpressionText | None = None
    time: Annotated[PayloadTime, BeforeValidator(as_reference)] | None = None
    actor: Annotated[PayloadActor, BeforeValidator(as_reference)] | None = None
    text: ExpressionText | None = None
    data: dict[str, Annotated[DataRef, BeforeValidator(as_reference)]] = Field(default_factory=dict)
    elements: Annotated[dict[Code, ExpressionText], Field(max_length=64)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_the_contract(self) -> Self:
        fields = contract_fields(self.type)
        if self.elements and "elements" not in fields:
            raise ValueError(f"`elements` belongs to tieline.handoff.offered.v1, not to {self.type}")
        known = sorted(name for name, field in fields.items() if field.mappable)
        for name, ref in self.data.items():
            if name not in known:
                close = suggestion(name, known) or f"; known here: {', '.join(known)}"
                raise ValueError(f"data.{name}: {self.type} has no such field{close}")
            self._check_words(name, ref)
        for name, field in fields.items():
            if field.required and name not in self.data and not (name == CLASSIFIED and self.text):
                raise ValueError(f"data.{name} is needed for {self.type}")
        return self

    def _check_words(self, name: str, ref: DataRef) -> None:
        field = contract_fields(self.type)[name]
        if ref.kind and not field.is_role:
            raise ValueError(f"data.{name}.kind: only a role has one")
        for word in (ref.value, *ref.values.values(), ref.otherwise):
            if word is not None and not field.takes(word):
                raise ValueError(f"data.{name}: the contract does not take {word!r}{field.hint(word)}")


class PayloadState(State):
    """As a log's rule; `when` has expressions, and a list matches if one of its values does."""

    when: Annotated[When, Field(min_length=1)]


class PayloadMapping(MappingPart):
    """One kind of payload.

    Attributes:
        process: if it is another than that of the source's settings.
        source: CloudEvents source for `tieline mapping try`; in the gateway the settings of the source say it.
        items: for payloads that hold several entries; all other expressions then look at one of them, and at the
            whole payload if they begin with `$.`.
        id: of the entry, unique within the source; else ids are made from work item, time, role and meaning.
        sequence: order among entries of one instant: a whole number.
        missing_values, states, otherwise: as in a log's mapping.
        events: what entries say explicitly. An entry that one of these rules matches is told by them alone, every
            other one by `states`.
    """

    format: Literal["json"]
    process: ProcessName | None = None
    source: SourceName | None = None
    items: ExpressionText | None = None
    work_item: Annotated[ValueRef, BeforeValidator(as_reference)]
    time: Annotated[PayloadTime, BeforeValidator(as_reference)]
    id: ExpressionText | None = None
    sequence: ExpressionText | None = None
    role: Annotated[PayloadRole, BeforeValidator(as_reference)] | None = None
    actor: Annotated[PayloadActor, BeforeValidator(as_reference)] | None = None
    site: Annotated[PayloadSite, BeforeValidator(as_reference)] | None = None
    missing_values: OptionalPatterns = ()
    states: Annotated[tuple[PayloadState, ...], BeforeValidator(as_tuple), Field(max_length=MAX_RULES)] = ()
    otherwise: Meanings = ("waiting",)
    events: Annotated[tuple[EventRule, ...], BeforeValidator(as_tuple), Field(max_length=MAX_RULES)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse_contradictions(self.otherwise)
        if "paused" in self.otherwise:
            raise ValueError("`otherwise` cannot pause: a pause needs a rule with its reason")
        if self.role is None and not self.events:
            raise ValueError("`role` is needed: whose is the work item? (or `events`, for what is said explicitly)")
        if self.role is None and (self.states or self.otherwise != ("waiting",)):
            raise ValueError("`states` and `otherwise` need a `role`: whose is the work item?")
        return self
