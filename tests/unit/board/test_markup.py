"""Markup that cannot be broken out of."""

from __future__ import annotations

from deploy.board.markup import Html, joined, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a < b", tag("b", "&")) == "<p>a &lt; b<b>&amp;</b></p>"


def test_attribute_cannot_be_left() -> None:
    assert tag("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'


def test_attributes_that_are_not_there_are_left_out() -> None:
    assert tag("input", name="x", checked=True, disabled=False, value=None) == '<input name="x" checked>'


def test_words_of_python_become_attributes() -> None:
    assert tag("label", for_="x", class_="y", aria_label="z") == '<label for="x" class="y" aria-label="z"></label>'


def test_parts_are_joined_and_none_is_left_out() -> None:
    assert joined("<", None, Html("<br>"), 3) == "&lt;<br>3"
