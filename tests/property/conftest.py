"""How hard the properties look. No deadline: machines are noisy, and time is not what these tests are about."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_CALM = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=150, **_CALM)
settings.register_profile("thorough", max_examples=3000, **_CALM)
settings.load_profile(os.environ.get("TIELINE_HYPOTHESIS", "quick"))
