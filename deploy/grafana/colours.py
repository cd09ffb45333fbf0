"""Colours: one hue, told apart by shade and by form. None of them says that a tie or a role is good or bad."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as sdk

PLAIN = "text"
"""Grafana's colour of text, in the light and in the dark theme."""
QUIET = "#8E8E8E"
"""For limits, centres and intervals."""
HUE = "#3274D9"
SHADES = (HUE, "#8AB8FF", "#1F4E9E", "#C0D8FF")
"""Of one hue; told apart by brightness also by those who see no colours."""
NOTICE = "#FF9830"
"""An operational threshold is passed, or a rule picked out a point. Always beside a word or another form."""


def fixed(colour: str) -> sdk.FieldColor:
    """That colour, whatever the value."""
    return sdk.FieldColor(mode=sdk.FieldColorModeId.FIXED, fixed_color=colour)


def shades() -> sdk.FieldColor:
    """A shade for each series, of one hue."""
    return sdk.FieldColor(mode=sdk.FieldColorModeId.SHADES, fixed_color=HUE)
