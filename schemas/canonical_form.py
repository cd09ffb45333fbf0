"""Canonical bytes, read by matching them against their grammar: half the cost of parsing JSON and validating it.

The grammar is that of `Envelope.canonical` where no text needs an escape. It is at most as wide as the contract: what
it matches is valid and canonical, by every length, pattern and word list; on anything else it gives up and says
nothing. A kind of field that it has no form for makes it give up on that type of event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import product
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from schemas.envelope import Actor, Envelope
from schemas.events import EVENT_TYPES, Event
from schemas.events.addressees import MAX_ADDRESSEES, Addressees, PossibleAddressees
from schemas.events.handoff import Elements
from schemas.making import made
from schemas.vocabulary import (
    ActorKind,
    Code,
    RoleName,
    UtcTime,
    unique_sorted,
)


class NotCanonicalError(ValueError):
    """A text that has the right form, but not the value that canonical bytes would have."""


class Form(NamedTuple):
    """How one kind of value is written.

    Attributes:
        pattern: with exactly one group: what `read` takes.
        read: raises ValueError where the text is not what canonical bytes would say; None: the text is the value.
    """

    pattern: str
    read: Callable[[str], Any] | None = None


def _text(least: int, most: int, but: str = "") -> str:
    return rf'[^"\\\x00-\x1f\x7f-\x9f\u2028\u2029{but}]{{{least},{most}}}+'


def _words(hint: Any) -> str:
    return "|".join(map(re.escape, get_args(hint)))


_CODE = _ROLE = _text(1, 128)
_ROLES = f'"{_ROLE}"(?:,"{_ROLE}"){{0,{MAX_ADDRESSEES - 1}}}+'
_ACTOR_ID = r"[a-z0-9][a-z0-9_-]{0,31}:[0-9a-f]{32}"
# Microseconds are written with all six digits or, where there are none, not at all.
_TIME = (
    r"(?:19[7-9][0-9]|2[01][0-9]{2})-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.(?!000000)[0-9]{6})?Z"
)


@lru_cache(maxsize=16_384)
def _actor(written: str) -> Actor:
    """One model for all events of an actor: models are frozen."""
    return Actor.model_validate_json(written)


def _roles(written: str) -> tuple[str, ...]:
    """Every `","` ends one name and starts the next: there is no quotation mark within a name."""
    roles = tuple(written[1:-1].split('","')) if written else ()
    if len(roles) > 1 and roles != unique_sorted(roles):
        raise NotCanonicalError
    return roles


def _elements(written: str) -> dict[str, bool]:
    return dict(_pairs(written))


@lru_cache(maxsize=4_096)
def _pairs(written: str) -> tuple[tuple[str, bool], ...]:
    pairs = json.loads(written, object_pairs_hook=tuple)
    names = [name for name, _ in pairs]
    if names != sorted(set(names)):
        raise NotCanonicalError
    return cast(tuple[tuple[str, bool], ...], pairs)


def _is_true(written: str) -> bool:
    return written == "true"


_FORMS: list[tuple[Any, Form]] = [
    (Code, Form(f'"({_CODE})"')),
    (RoleName, Form(f'"({_ROLE})"')),
    (Actor, Form(rf'(\{{"id":"{_ACTOR_ID}","kind":"(?:{_words(ActorKind)})"\}})', _actor)),
    (UtcTime, Form(f'"({_TIME})"', datetime.fromisoformat)),
    (bool, Form("(true|false)", _is_true)),
    (Addressees, Form(rf"\[({_ROLES})\]", _roles)),
    (PossibleAddressees, Form(rf"\[((?:{_ROLES})?)\]", _roles)),
    (Elements, Form(rf'(\{{(?:"{_CODE}":(?:true|false)(?:,"{_CODE}":(?:true|false)){{0,63}}+)?\}})', _elements)),
]

_ENVELOPE: dict[str, Form] = {
    "specversion": Form(r'"(1\.0)"'),
    "id": Form(f'"({_text(1, 256)})"'),
    "source": Form(f'"({_text(1, 256, "#")})"'),
    "time": Form(f'"({_TIME})"', datetime.fromisoformat),
    "subject": Form(f'"({_text(1, 256)})"'),
    "process": Form(f'"({_text(1, 64, "/")})"'),
    "site": Form(f'"({_text(0, 128)})"'),
    "sequence": Form("(0|[1-9][0-9]{0,17})", int),
}
_NAMED = {*_ENVELOPE, "type", "data"}
_START = b'{"specversion":"1.0","id":"'
_TYPE = ',"type":"'


class _Grammar(NamedTuple):
    """How one type of event is read.

    Attributes:
        pattern: the whole event; a group for each field.
        values: the groups to the values of the envelope and of `data`, and the names of the fields in `data`.
    """

    event: type[Envelope]
    data: type[Any]
    pattern: re.Pattern[str]
    values: Callable[..., tuple[dict[str, Any], dict[str, Any], set[str]]]


def read_canonical(raw: bytes) -> Event | None:
    """The event whose canonical bytes these are; None: they are not, or have a text that needs an escape.

    Where it is not None it is what `decode` gives without this shortcut, and `canonical()` of it is `raw`.
    """
    if not raw.startswith(_START):
        return None
    try:
        text = raw.decode()
        # A text that looks like this member but is not it only leads to a grammar that does not match.
        start = text.find(_TYPE) + len(_TYPE)
        grammar = _GRAMMARS.get(text[start : text.find('"', start)])
        found = grammar.pattern.fullmatch(text) if grammar else None
        if grammar is None or found is None:
            return None
        envelope, data, named = grammar.values(*found.groups())
    except ValueError:
        return None
    envelope["data"] = made(grammar.data, data, named)
    return cast(Event, made(grammar.event, envelope, _NAMED))


def _grammars() -> Iterator[tuple[str, _Grammar]]:
    for type, event in EVENT_TYPES.items():
        data: Any = event.model_fields["data"].annotation
        hints = get_type_hints(data, include_extras=True)
        forms = {name: _form(hints[name]) for name in data.model_fields}
        if None not in forms.values():
            known = cast(dict[str, Form], forms)
            unset = [name for name in known if _may_be_unset(hints[name])]
            envelope = ",".join(f'"{name}":{form.pattern}' for name, form in _ENVELOPE.items())
            pattern = rf'\{{{envelope}{_TYPE}{re.escape(type)}","data":\{{{_members(known, unset)}\}}\}}'
            yield type, _Grammar(event, data, re.compile(pattern), _values(type, known, unset))


def _values(type: str, forms: dict[str, Form], unset: list[str]) -> Callable[..., Any]:
    """Makes the dictionaries of one type in one expression: a loop over the fields would take as long as the match."""
    envelope = {**{name: _value(name, form) for name, form in _ENVELOPE.items()}, "type": repr(type), "data": "None"}
    data = {name: _value(f"data_{name}", form, name in unset) for name, form in forms.items()}
    present = "".join(f"data_{name} is not None," for name in unset)
    readers = {f"read_{name}": form.read for name, form in _ENVELOPE.items()}
    readers |= {f"read_data_{name}": form.read for name, form in forms.items()}
    arguments = ",".join([*_ENVELOPE, *(f"data_{name}" for name in forms)])
    expression = f"lambda {arguments}: ({_dict(envelope)}, {_dict(data)}, named[{present or '()'}])"
    # Of nothing but names of fields and types of the contract.
    return cast(Callable[..., Any], eval(expression, {**readers, "named": dict(_all_named(forms, unset))}))


def _value(argument: str, form: Form, may_be_unset: bool = False) -> str:
    read = f"read_{argument}({argument})" if form.read else argument
    return f"None if {argument} is None else {read}" if may_be_unset and form.read else read


def _dict(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{name!r}: {value}" for name, value in members.items()) + "}"


def _all_named(forms: dict[str, Form], unset: list[str]) -> Iterator[tuple[tuple[bool, ...], set[str]]]:
    """By which of the fields that may be unset are there: the names of all that are there."""
    for present in product((True, False), repeat=len(unset)):
        yield present, set(forms) - {name for name, there in zip(unset, present, strict=True) if not there}


def _members(forms: dict[str, Form], unset: list[str]) -> str:
    """A field that may be unset is left out of canonical bytes, with its comma; the others always are there."""
    pattern, first = "", True
    for name, form in forms.items():
        # Behind fields that may all be left out nobody knows whether this is the first one.
        comma = "" if not pattern else "," if not first else r"(?:(?<=\{)|(?<!\{),)"
        member = f'{comma}"{name}":{form.pattern}'
        pattern += f"(?:{member})?" if name in unset else member
        first = first and name in unset
    return pattern


def _may_be_unset(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


def _form(hint: Any) -> Form | None:
    if _may_be_unset(hint):
        (hint,) = set(get_args(hint)) - {NoneType}
    if get_origin(hint) is Literal:
        return Form(f'"({_words(hint)})"')
    return next((form for known, form in _FORMS if known == hint), None)


_GRAMMARS = dict(_grammars())
