"""The report as a whole: one part for each process, in alphabetical order."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.report.asked import Asked
from deploy.report.document import Block, Part, Section, Text
from deploy.report.findings import Findings
from deploy.report.page import page
from deploy.report.sections import changes, comparison, limits, open_questions, survey, ties, waiting, work
from deploy.report.words import count, day

_EMPTY = (
    "Nothing was seen in this time: no handoff, message or problem between two roles of this process. Perhaps the"
    " time is another one, or the sources were silent; either is worth knowing."
)


def report(findings: Sequence[Findings]) -> str:
    """The page. Raises: ValueError: there is no process to report on."""
    if not findings:
        raise ValueError("a report needs a process")
    ordered = sorted(findings, key=lambda found: found.asked.process)
    silent = [found.asked.process for found in ordered if found.is_empty and not found.surveys]
    told = [found for found in ordered if found.asked.process not in silent] or ordered
    title = f"Retrospective of {', '.join(found.asked.process for found in told)}"
    return page(title, _about(ordered[0].asked, silent if len(silent) < len(ordered) else []), list(map(part, told)))


def _about(asked: Asked, silent: Sequence[str]) -> str:
    time = f"{day(asked.start)} to {day(asked.end)}, run {asked.run}"
    site = f", site {asked.site}" if asked.site else ", all sites"
    compared = f", compared with run {asked.compare}" if asked.compare else ""
    nothing = f" Nothing was seen in this time of {', '.join(silent)}." if silent else ""
    return f"{time}{site}{compared}.{nothing}"


def part(found: Findings) -> Part:
    """All about one process."""
    title = f"Process {found.asked.process}"
    if found.is_empty:
        seen = Section("What the work looked like", (Text(_EMPTY, note=True),), key="work")
        return Part(title, (seen, survey.section(found), limits.section(found)))
    compared = (comparison.section(found),) if found.asked.compare else ()
    first = work.section(found)
    covered = Section(first.title, (*_covered(found), *first.blocks), first.sections, first.key)
    return Part(
        title,
        (
            covered,
            waiting.section(found),
            ties.section(found),
            changes.section(found),
            *compared,
            survey.section(found),
            limits.section(found),
            open_questions.section(found),
        ),
    )


def _covered(found: Findings) -> tuple[Block, ...]:
    if not found.covered:
        return ()
    row = found.covered[0]
    text = (
        f"Whole periods from {day(row['since'])} to {day(row['until'])}. Of {count(row['all_ties'])} ties (each"
        f" direction counts), {count(row['ties_shown'])} have something that can be shown and"
        f" {count(row['ties_hidden'])} something that is hidden; {count(row['n'])} observations,"
        f" {count(row['pending'])} still pending."
    )
    return (Text(text),)
