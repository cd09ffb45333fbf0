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
_SEQUENCE = "0|[1-9][0-9]{0,17}"


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

_HEAD = re.compile(
    rf'\{{"specversion":"1\.0","id":"({_text(1, 256)})","source":"({_text(1, 256, "#")})","time":"({_TIME})"'
    rf',"subject":"({_text(1, 256)})","process":"({_text(1, 64, "/")})","site":"({_text(0, 128)})"'
    rf',"sequence":({_SEQUENCE}),"type":"([a-z0-9_.]+)","data":'
)
_NAMED = set(Envelope.model_fields) | {"type", "data"}


class _Data(NamedTuple):
    """How the rest of one type of event is read: its `data` and the end."""

    event: type[Envelope]
    data: type[Any]
    rest: re.Pattern[str]
    readers: tuple[tuple[str, Callable[[str], Any]], ...]
    named: set[str]


def read_canonical(raw: bytes) -> Event | None:
    """The event whose canonical bytes these are; None: they are not, or have a text that needs an escape.

    Where it is not None it is what `decode` gives without this shortcut, and `canonical()` of it is `raw`.
    """
    try:
        text = raw.decode()
        head = _HEAD.match(text)
        if head is None:
            return None
        id, source, time, subject, process, site, sequence, type = head.groups()
        grammar = _GRAMMAR.get(type)
        rest = grammar.rest.fullmatch(text, head.end()) if grammar else None
        if grammar is None or rest is None:
            return None
        values: dict[str, Any] = {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "time": datetime.fromisoformat(time),
            "subject": subject,
            "process": process,
            "site": site,
            "sequence": int(sequence),
            "type": type,
            "data": _data(grammar, rest.groupdict()),
        }
    except ValueError:
        return None
    return cast(Event, made(grammar.event, values, _NAMED))


def _data(grammar: _Data, values: dict[str, Any]) -> Any:
    named = grammar.named
    if None in values.values():
        named = {name for name, written in values.items() if written is not None}
    for name, read in grammar.readers:
        if (written := values[name]) is not None:
            values[name] = read(written)
    return made(grammar.data, values, named)


def _grammars() -> Iterator[tuple[str, _Data]]:
    for type, event in EVENT_TYPES.items():
        data = event.model_fields["data"].annotation
        hints = get_type_hints(data, include_extras=True)
        hints = {name: hints[name] for name in cast(Any, data).model_fields}
        forms = {name: _form(hint) for name, hint in hints.items()}
        if None not in forms.values():
            known = cast(dict[str, Form], forms)
            readers = tuple((name, form.read) for name, form in known.items() if form.read)
            rest = re.compile(r"\{" + _members(hints, known) + r"\}\}")
            yield type, _Data(event, cast(Any, data), rest, readers, set(known))


def _members(hints: dict[str, Any], forms: dict[str, Form]) -> str:
    """A field that may be unset is left out of canonical bytes, with its comma; the others always are there."""
    pattern, first = "", True
    for name, form in forms.items():
        # Behind fields that may all be left out nobody knows whether this is the first one.
        comma = "" if not pattern else "," if not first else r"(?:(?<=\{)|(?<!\{),)"
        member = f'{comma}"{name}":{_named(name, form)}'
        pattern += f"(?:{member})?" if _may_be_unset(hints[name]) else member
        first = first and _may_be_unset(hints[name])
    return pattern


def _named(name: str, form: Form) -> str:
    return re.sub(r"\((?!\?)", f"(?P<{name}>", form.pattern)


def _may_be_unset(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


def _form(hint: Any) -> Form | None:
    if _may_be_unset(hint):
        (hint,) = set(get_args(hint)) - {NoneType}
    if get_origin(hint) is Literal:
        return Form(f'"({_words(hint)})"')
    return next((form for known, form in _FORMS if known == hint), None)


_GRAMMAR = dict(_grammars())
