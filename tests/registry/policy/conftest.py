"""How many examples the laws are tried on: 1,000, or POLICY_EXAMPLES (for the soak).

Under mutation testing they are always the same ones, so that its figure can be had again.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "policy",
    max_examples=int(os.environ.get("POLICY_EXAMPLES", "1000")),
    deadline=None,
    database=None,
    derandomize="MUTANT_UNDER_TEST" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
