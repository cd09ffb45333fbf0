"""Colours: one hue, told apart by shade and by form. None of them says that a tie or a role is good or bad."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as sdk

PLAIN = "text"
QUIET = "#8E8E8E"
"""For limits, centres and intervals."""
HUE = "blue"
SHADES = (HUE, "super-light-blue", "dark-blue", "light-blue")
"""Of one hue, told apart by brightness also by those who see no colours; by name, since Grafana's light and dark theme
have shades of their own."""
NOTICE = "orange"
"""An operational threshold is passed, or a rule picked out a point. Always beside a word or another form."""


def fixed(colour: str) -> sdk.FieldColor:
    """That colour, whatever the value."""
    return sdk.FieldColor(mode=sdk.FieldColorModeId.FIXED, fixed_color=colour)


def shades() -> sdk.FieldColor:
    """A shade for each series, of one hue."""
    return sdk.FieldColor(mode=sdk.FieldColorModeId.SHADES, fixed_color=HUE)
