"""The planted character of every tie: how likely each rule's good outcome is."""

from __future__ import annotations

from schemas.vocabulary import Rule
from streams.simulation.people import DAY_S, ED_TO_WARD, HOUR_S, INCIDENT, shift_of

Tie = tuple[str, str, str]
"""(process, communicator role, experiencer role)."""

_TYPICAL: dict[Rule, float] = {
    "handoff_acceptance": 0.80,
    "handoff_offer": 0.82,
    "reply": 0.78,
    "handoff_accuracy": 0.86,
    "message_accuracy": 0.96,
    "problem_response": 0.78,
    "handoff_advanced": 0.90,
    "contact": 0.75,
}

_PLANTED: dict[Tie, dict[Rule, float]] = {
    # The nurses of both sides work well together, except that the handover leaves things out.
    (ED_TO_WARD, "ed-nurse", "ward-nurse"): {"handoff_accuracy": 0.70, "reply": 0.88, "problem_response": 0.86},
    (ED_TO_WARD, "ward-nurse", "ed-nurse"): {"handoff_acceptance": 0.86, "reply": 0.82, "handoff_advanced": 0.95},
    (ED_TO_WARD, "ed-nurse", "ward-nurse*"): {"contact": 0.80},
    # Between the physicians content is right, but answers are late and problems come back as blame.
    (ED_TO_WARD, "ed-physician", "ward-physician"): {"handoff_accuracy": 0.92, "problem_response": 0.55},
    (ED_TO_WARD, "ward-physician", "ed-physician"): {
        "handoff_acceptance": 0.56,
        "reply": 0.58,
        "problem_response": 0.60,
        "handoff_advanced": 0.86,
    },
    (ED_TO_WARD, "ed-physician", "ward-physician*"): {"contact": 0.55},
    (INCIDENT, "level-2", "level-1"): {"handoff_acceptance": 0.88, "handoff_advanced": 0.90},
    (INCIDENT, "level-1", "level-2"): {"handoff_acceptance": 0.80, "handoff_advanced": 0.94},
    (INCIDENT, "level-3", "level-2"): {"handoff_acceptance": 0.84, "handoff_advanced": 0.68},
    (INCIDENT, "network", "level-2"): {"handoff_acceptance": 0.52, "handoff_advanced": 0.88},
}

_TIMED: frozenset[Rule] = frozenset({"handoff_acceptance", "reply"})
_NIGHT_LOSS, _MORNING_LOSS, _NIGHT = 0.20, 0.08, 2
_MORNING_START_S, _MORNING_END_S = 7 * HOUR_S, 10 * HOUR_S  # UTC


def likelihood(rule: Rule, process: str, communicator: str, experiencer: str, at: float) -> float:
    """The planted chance of the rule's good outcome for an episode that starts at `at` (seconds since 1970).

    Answers are slower at night and in the morning peak. `contact` belongs to the unordered pair of roles.
    """
    if rule == "contact":
        communicator, experiencer = sorted((communicator, experiencer))
        experiencer += "*"
    base = _PLANTED.get((process, communicator, experiencer), {}).get(rule, _TYPICAL[rule])
    if rule not in _TIMED:
        return base
    if shift_of(at) == _NIGHT:
        return base - _NIGHT_LOSS
    return base - _MORNING_LOSS if _MORNING_START_S <= at % DAY_S < _MORNING_END_S else base
