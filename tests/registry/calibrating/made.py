"""Vectors of invented people, more alike the smaller the noise."""

import numpy as np

from registry.calibrating.trials import Samples


def people(
    count: int,
    each: int,
    *,
    noise: float = 1.0,
    seed: int = 1,
    dimensions: int = 64,
    first: int = 0,
) -> Samples:
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((count, dimensions))
    whose = np.repeat(np.arange(count), each)
    vectors = middles[whose] + noise * rng.standard_normal((len(whose), dimensions))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Samples(vectors.astype(np.float32), whose + first, np.arange(len(whose)))
