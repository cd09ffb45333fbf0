"""The form at the top: what can be chosen. It works by keyboard, and says what is chosen without opening anything."""

from __future__ import annotations

from deploy.board.choice import Choice, is_all
from deploy.board.markup import Html, joined, tag
from deploy.board.period import LIVE_PRESETS, PRESETS, is_custom, said
from deploy.board.variables import Option, Options
from deploy.dashboards.dashboard import ALL, Variable

CUSTOM = "custom"


def controls(choice: Choice, options: Options) -> Html:
    """Contents of the form."""
    return joined(
        *(_variable(variable, options) for variable in choice.dashboard.variables),
        *_period(choice),
        *_carried(choice),
        tag("button", "Show", type="submit", class_="submit"),
    )


def _variable(variable: Variable, options: Options) -> Html:
    if variable.name not in options.chosen:  # not known yet
        return _one(Variable(variable.name, variable.label, ""), (Option("", "…"),), ("",))
    chosen, offered = options.chosen[variable.name], options.of.get(variable.name, ())
    return (_several if variable.multi else _one)(variable, offered, chosen)


def _one(variable: Variable, offered: tuple[Option, ...], chosen: tuple[str, ...]) -> Html:
    everything = [tag("option", "all", value="", selected=is_all(chosen))] if variable.all else []
    listed = [_option(option.value, option.label, option.value in chosen) for option in offered]
    nothing = [] if everything or listed else [tag("option", "none yet", value="", selected=True)]
    name = f"choose-{variable.name}"
    return tag(
        "div",
        tag("label", variable.label, for_=name),
        tag("select", *everything, *listed, *nothing, id=name, name=variable.name),
        class_="choice",
    )


def _several(variable: Variable, offered: tuple[Option, ...], chosen: tuple[str, ...]) -> Html:
    """Boxes to tick under a summary; none ticked is all. A list that takes several values is no joy by keyboard."""
    every = is_all(chosen) or chosen == ("",)
    labels = {option.value: option.label for option in offered}
    shown = "all" if every else ", ".join(labels.get(value, value) for value in chosen if value != ALL)
    boxes = [
        tag(
            "label",
            tag("input", type="checkbox", name=variable.name, value=option.value, checked=option.value in chosen),
            option.label,
        )
        for option in offered
    ]
    empty = tag("p", "nothing to choose from now", class_="quiet")
    return tag(
        "details",
        tag("summary", tag("span", f"{variable.label}", class_="label"), tag("span", shown, class_="said")),
        tag("fieldset", tag("legend", f"{variable.label} (none ticked: all)"), *(boxes or [empty])),
        class_="choice several",
        id=f"choose-{variable.name}",
    )


def _period(choice: Choice) -> tuple[Html, ...]:
    live = bool(choice.dashboard.refresh_s)  # the period is then only that of charts, and short
    custom = is_custom(choice.first)
    presets = list(LIVE_PRESETS if live else PRESETS)
    current = choice.first or choice.dashboard.time_from
    if not custom and current not in dict(presets):
        presets.append((current, said(current)))
    listed = [_option(word, label, word == current) for word, label in presets]
    select = tag(
        "div",
        tag("label", "Period of charts" if live else "Period", for_="choose-from"),
        tag("select", *listed, _option(CUSTOM, "from … to …", custom), id="choose-from", name="from"),
        class_="choice",
    )
    dates = tag(
        "fieldset",
        tag("legend", "From and to (days in UTC)", class_="unseen"),
        _date("first-day", "From", choice.first if custom else ""),
        _date("last-day", "to", choice.last if custom else ""),
        class_="choice dates",
        id="custom-period",
        hidden=not custom,
    )
    return select, dates


def _date(name: str, label: str, value: str) -> Html:
    return joined(tag("label", label, for_=name), tag("input", type="date", id=name, data_custom=name, value=value))


def _carried(choice: Choice) -> list[Html]:
    """Choices that only other dashboards know stay in the link."""
    own = {variable.name for variable in choice.dashboard.variables}
    return [
        tag("input", type="hidden", name=name, value=value)
        for name, values in choice.values.items()
        if name not in own
        for value in values
    ]


def _option(value: str, label: str, selected: bool) -> Html:
    return tag("option", label, value=value, selected=selected)
