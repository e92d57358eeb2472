"""The tests: sentences about people and what they see."""

import os

from hypothesis import HealthCheck, settings

_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("usual", _patient)  # machines are shared, and some are slow
settings.register_profile("long", _patient, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
