"""How many examples the laws are tried on: 1,000, or POLICY_EXAMPLES (for the soak)."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "policy",
    max_examples=int(os.environ.get("POLICY_EXAMPLES", "1000")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
