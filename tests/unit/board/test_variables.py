"""What can be chosen, and what is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from deploy.board.choice import choice_of
from deploy.board.controls import controls
from deploy.board.store import Answer, Refused
from deploy.board.variables import Option, Options, decide, resolve
from deploy.dashboards.catalogue import dashboard
from deploy.dashboards.dashboard import ALL, Variable
from deploy.dashboards.macros import TimeRange
from tests.unit.board.panels import END, START

PERIOD = TimeRange(START, END)
SINGLE = Variable("process", "Process", "SELECT process")

SEVERAL = Variable("site", "Site", "SELECT site WHERE process = ${process:singlequote}", multi=True, all=True)
AB = (Option("a", "A"), Option("b", "B"))


class Says:
    """Answers by how a statement begins."""

    def __init__(self, answers: Mapping[str, list[tuple[object, ...]] | Refused]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, sql: str) -> Answer:
        self.asked.append(sql)
        for start, rows in self.answers.items():
            if sql.startswith(start):
                if isinstance(rows, Refused):
                    raise rows
                return Answer(("value",), tuple(rows))
        return Answer(("value",), ())


@pytest.mark.parametrize(("wished", "chosen"), [([], "a"), (["b"], "b"), (["gone"], "a"), (["gone", "b"], "b")])
def test_single_value_is_one_of_the_values(wished: list[str], chosen: str) -> None:
    assert decide(SINGLE, AB, wished)[0] == (chosen,)


def test_usual_value_is_chosen_at_first() -> None:
    assert decide(Variable("run", "Run", "", default="b"), AB, [])[0] == ("b",)
    assert decide(Variable("run", "Run", "", default="gone"), AB, [])[0] == ("a",)


def test_nothing_ticked_is_all() -> None:
    assert decide(SEVERAL, AB, []) == ((ALL,), AB)
    assert decide(SEVERAL, AB, [ALL])[0] == (ALL,)


def test_wish_for_something_that_is_not_open_now_stays() -> None:
    chosen, options = decide(SEVERAL, AB, ["a", "c"])
    assert chosen == ("a", "c")
    assert options[-1] == Option("c", "c (nothing now)")


async def test_values_depend_on_what_was_chosen_before() -> None:
    says = Says({"SELECT process": [("ed",), ("it",)], "SELECT site WHERE process = 'it'": [("ward",)]})
    choice = choice_of(dashboard("ties"), [("process", "it")])
    options = await resolve((SEVERAL, SINGLE), choice, PERIOD, says)
    assert options.chosen == {"process": ("it",), "site": (ALL,)}
    assert options.of["site"] == (Option("ward", "ward"),)


async def test_second_column_is_what_people_read() -> None:
    says = Says({"SELECT process": [("ed", "Emergency")]})
    options = await resolve((SINGLE,), choice_of(dashboard("ties"), []), PERIOD, says)
    assert options.label("process") == "Emergency"


async def test_refused_question_leaves_a_variable_without_values() -> None:
    says = Says({"SELECT process": Refused("no such view")})
    options = await resolve((SINGLE, SEVERAL), choice_of(dashboard("ties"), []), PERIOD, says)
    assert options.chosen == {"process": ("",), "site": (ALL,)}


async def test_value_of_a_link_reaches_the_store_as_quoted_text_only() -> None:
    says = Says({})
    role = Variable("role", "Role", "SELECT x WHERE s IN (${site:singlequote})", multi=True, all=True)
    wish = "x') OR 1=1 --\\"
    await resolve((SEVERAL, role, SINGLE), choice_of(dashboard("live"), [("site", wish)]), PERIOD, says)
    assert says.asked[-1] == "SELECT x WHERE s IN ('x\\') OR 1=1 --\\\\')"


def test_form_marks_what_is_chosen_and_labels_everything() -> None:
    live = dashboard("live")
    names = [variable.name for variable in live.variables]
    options = Options(dict.fromkeys(names, AB), dict.fromkeys(names, (ALL,)) | {"site": ("b",)})
    form = controls(choice_of(live, [("site", "b"), ("one_role", "nurse")]), options)
    assert '<input type="checkbox" name="site" value="b" checked>' in form
    assert '<input type="checkbox" name="site" value="a">' in form
    assert '<label for="choose-from">' in form
    assert '<input type="hidden" name="one_role" value="nurse">' in form
    assert form.count("<legend>") >= len(names)
