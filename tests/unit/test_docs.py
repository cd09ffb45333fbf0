"""Documents say where things are: every link, anchor, path and command in them is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "streams", "sinks", "deploy", "benchmarks", "tests")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE_REFERENCE = re.compile(r"\b(docs/[\w/-]+\.md)(?:#([\w-]+))?")
ADR_REFERENCE = re.compile(r"\bADR (\d+)\b")
PLACE = re.compile(r"`((?:schemas|streams|sinks|deploy|tests|docs|benchmarks)/[\w./-]*)`")


def _documents() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(path for folder in ("docs", *PACKAGES) for path in (ROOT / folder).rglob("*.md"))]
    return sorted(found)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", _documents(), ids=_name)
def test_relative_link_of_a_document_resolves(document: Path) -> None:
    for target in LINK.findall(_prose(document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), f"{_name(document)}: {target}"
        assert linked.is_relative_to(ROOT), f"{_name(document)}: {target} leaves the checkout"
        assert not anchor or anchor in anchors(linked), f"{_name(document)}: no heading for {target}"


@pytest.mark.parametrize("document", _documents(), ids=_name)
def test_path_in_a_document_exists(document: Path) -> None:
    for place in PLACE.findall(document.read_text(encoding="utf-8")):
        if "NNNN" not in place:
            assert (ROOT / place).exists(), f"{_name(document)}: {place}"


def test_reference_from_code_to_a_document_resolves() -> None:
    for path in _sources():
        for target, anchor in CODE_REFERENCE.findall(path.read_text(encoding="utf-8")):
            document = ROOT / target
            assert document.exists(), f"{_name(path)}: {target}"
            assert not anchor or anchor in anchors(document), f"{_name(path)}: no heading for {target}#{anchor}"


def test_decision_that_is_referred_to_exists() -> None:
    numbers = {int(path.name[:4]) for path in _decisions()}
    for path in (*_sources(), *_documents()):
        for number in ADR_REFERENCE.findall(path.read_text(encoding="utf-8")):
            assert int(number) in numbers, f"{_name(path)}: ADR {number}"


@pytest.mark.parametrize("decision", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=_name)
def test_decision_has_a_number_a_title_and_a_status(decision: Path) -> None:
    number = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", decision.name)
    assert number, "named NNNN-some-words.md"
    first, *rest = decision.read_text(encoding="utf-8").splitlines()
    title = re.fullmatch(r"# (?:ADR )?(\d+)[.:] \S.*", first)
    assert title, f"starts with its number and title, not {first!r}"
    assert int(title[1]) == int(number[1])
    assert any(re.match(r"\**Status\**: (?:proposed|accepted|superseded)", line) for line in rest[:5])


def test_decision_numbers_are_used_once() -> None:
    numbers = [path.name[:4] for path in _decisions()]
    assert len(numbers) == len(set(numbers))


def test_every_command_is_in_the_documents() -> None:
    text = " ".join(document.read_text(encoding="utf-8") for document in _documents())
    for command in commands():
        assert f"tieline {command}" in text, f"no document mentions `tieline {command}`"


def test_command_in_a_document_exists() -> None:
    known = set(commands())
    groups = {command.split()[0] for command in known}
    for document in _documents():
        for quoted in re.findall(r"`tieline ((?:[a-z][a-z-]* ?)+)", document.read_text(encoding="utf-8")):
            words = quoted.split()
            assert words[0] in groups, f"{_name(document)}: tieline {quoted}"
            assert words[0] in known or " ".join(words[:2]) in known, f"{_name(document)}: tieline {quoted}"


def test_rule_has_a_section_in_the_method() -> None:
    from schemas.vocabulary import RULE_DIMENSION

    assert set(RULE_DIMENSION) <= anchors(ROOT / "docs" / "method.md")


def test_word_of_the_glossary_is_defined_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    words = [word for row in rows if row not in ("word", "---") for word in row.split(", ")]
    assert len(words) == len(set(words))


def test_topic_and_table_of_the_store_are_named_in_the_architecture() -> None:
    from schemas.topics import TOPICS

    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for topic in TOPICS:
        assert topic.name in text or topic.name.removeprefix("tieline.") in text, topic.name


@cache
def anchors(document: Path) -> frozenset[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+)$", _prose(document.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"[^\w\s-]", "", heading.strip().lower())
        anchor = re.sub(r"\s", "-", words)
        repeats = sum(
            earlier == anchor or re.fullmatch(f"{re.escape(anchor)}-\\d+", earlier) is not None for earlier in found
        )
        found.append(f"{anchor}-{repeats}" if repeats else anchor)
    return frozenset(found)


def commands() -> Iterator[str]:
    """Every command of the command line, with its group."""
    import typer

    from deploy.cli import app

    root = typer.main.get_command(app)
    for name, command in getattr(root, "commands", {}).items():
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name
        else:
            yield from (f"{name} {below}" for below in inner)


def _prose(text: str) -> str:
    """The text without fenced code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _sources() -> list[Path]:
    endings = ("*.py", "*.sql", "*.yaml", "*.toml")
    return [path for folder in PACKAGES for ending in endings for path in sorted((ROOT / folder).rglob(ending))]


def _decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "adr").glob("*.md"))
