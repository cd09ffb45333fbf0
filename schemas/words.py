"""Word rules: what a text means, by the words that occur in it. Transparent, so that anybody can say why."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.vocabulary import MessageIntent, ResponseKind

MAX_TEXT = 10_000
"""Characters of a text that are looked at; who has not said by then what it is about is not classified."""

# Words, and signs one by one. Scripts that put no space between words are taken letter by letter.
_LETTERWISE = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_LETTERWISE}]|[^\W{_LETTERWISE}]+|[^\w\s]")
_QUOTES = str.maketrans("\u2018\u2019\u02bc\u201c\u201d", "'''\"\"")


def plain_words(text: str) -> str:
    """The words and signs of a text in lower case, a space before, between and after them: ` can you help ? `.

    With spaces around both, `in` finds whole words: `act` is not in `fact`. Accents count, quotation marks are alike.
    """
    folded = unicodedata.normalize("NFC", text).casefold().translate(_QUOTES)
    return f" {' '.join(_TOKEN.findall(folded))} "


def spoken_words(text: str) -> str:
    """The `plain_words` of a message, without what somebody else said in it (lines that begin with `>`), and without
    addresses (`https://…?a=b` asks nothing).

    Cost: 1 ms for the longest text that is looked at.
    """
    lines = (line for line in text[:MAX_TEXT].splitlines() if not line.lstrip().startswith(">"))
    return plain_words(" ".join(part for line in lines for part in line.split() if "://" not in part))


def _has_words(phrase: str) -> str:
    words = plain_words(phrase)
    if not words.strip():
        raise ValueError("a phrase needs a word or a sign")
    return words.strip()


Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_has_words)]
Meaning = Literal[MessageIntent, ResponseKind]


class WordRule(BaseModel):
    """A text in which one of these phrases occurs, as whole words and signs in a row, means this. Case, and how many
    spaces or line breaks stand between words, do not count.

    Attributes:
        any: such as `can you` or `?`; never patterns.
        means: the intent of a message (question, answer, inform, request, other), or the kind of a response to a
            problem (diagnose, propose, act, inform, redirect, blame, refuse).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    any: Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=32)]
    means: Meaning


Words = Annotated[tuple[WordRule, ...], Field(max_length=32)]


def meaning(rules: Iterable[WordRule], text: str, among: Collection[str]) -> str | None:
    """What the first rule that applies says; rules that mean something else than `among` are passed over.

    Returns: None: no rule applies, so nobody can say.
    """
    fitting = [rule for rule in rules if rule.means in among]
    words = spoken_words(text) if fitting else ""
    return next((rule.means for rule in fitting if any(f" {phrase} " in words for phrase in rule.any)), None)
