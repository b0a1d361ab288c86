"""Error rates with their intervals, in the terms of ISO/IEC 19795-1: FMR, FNMR, EER, DIR at FPIR.

Comparisons of the same people are not independent, so an interval here is the wider of two, at each
end: Clopper-Pearson, which takes them as if they were, and a bootstrap of people (Poh, Martin and
Bengio, "Performance Generalization in Biometric Authentication Using Joint User-Specific and Sample
Bootstraps", 2007: whoever is drawn twice counts twice, with all his comparisons).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from registry.calibrating.trials import Indices, Samples, Trials, templates

CONFIDENCE: Final = 0.95
DRAWS: Final = 400
STEPS_A_DECADE: Final = 20
_FIRST_STEP: Final = 1.0  # evidence with which a curve begins
_SPLITS: Final = 20
_LEAST_ERRORS: Final = 5
_BLOCK: Final = 8192  # pairs weighed at once
_TAIL = (1 - CONFIDENCE) / 2

Values = npt.NDArray[np.float64]
Steps = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of so many comparisons, the ends of its 95 % interval, and its 95 % upper bound."""

    value: float
    low: float
    high: float
    bound: float
    comparisons: int


def clopper_pearson(errors: float, comparisons: float) -> tuple[float, float, float]:
    """Of a binomial share: the ends of the exact 95 % interval, and the 95 % upper bound.

    Clopper and Pearson, 1934: "The Use of Confidence or Fiducial Limits".
    """
    low = float(beta.ppf(_TAIL, errors, comparisons - errors + 1)) if errors > 0 else 0.0
    if errors >= comparisons:
        return low, 1.0, 1.0
    high, bound = beta.ppf([1 - _TAIL, CONFIDENCE], errors + 1, comparisons - errors)
    return low, float(high), float(bound)


def fmr(trials: Trials, thresholds: npt.ArrayLike, seed: int = 1) -> list[Rate]:
    """The share of impostors that score at least each threshold."""
    wanted = np.asarray(thresholds, np.float64)
    people, pairs = np.unique(trials.between, return_inverse=True)
    weights = np.ascontiguousarray(_drawn(len(people), seed).T)
    order = np.argsort(-trials.impostors, kind="stable")
    pairs = pairs.reshape(trials.between.shape)[order]
    errors = np.searchsorted(-trials.impostors[order], -wanted, side="right")
    met = np.bincount(pairs[:, 0] * len(people) + pairs[:, 1], minlength=len(people) ** 2)
    whole = (met.reshape(len(people), -1).T @ weights * weights).sum(axis=0)
    wrong = _weighed(pairs, weights, errors)
    return [
        _rate(int(count), len(pairs), share / np.maximum(whole, 1), trials.independent)
        for count, share in zip(errors, wrong, strict=True)
    ]


def _weighed(pairs: Indices, weights: Values, firsts: Indices) -> Values:
    """Of so many first pairs each: how many there are in every draw, (firsts, draws).

    Each pair counts as often as both its people were drawn.
    """
    counted = np.zeros((len(firsts), weights.shape[1]))
    running, done = np.zeros(weights.shape[1]), 0
    for at in np.argsort(firsts, kind="stable"):
        while done < firsts[at]:
            some = pairs[done : min(done + _BLOCK, firsts[at])]
            running += np.einsum("pd,pd->d", weights[some[:, 0]], weights[some[:, 1]])
            done += len(some)
        counted[at] = running
    return counted


def tmr(trials: Trials, threshold: float, seed: int = 1) -> Rate:
    """The share of genuine comparisons that score at least the threshold (1 - FNMR; TAR)."""
    hits = trials.genuine >= threshold
    people, whose = np.unique(trials.whose, return_inverse=True)
    weights = _drawn(len(people), seed)
    made = weights @ np.bincount(whose, minlength=len(people))
    share = weights @ np.bincount(whose, hits, minlength=len(people)) / np.maximum(made, 1)
    return _rate(int(hits.sum()), len(hits), share)


def threshold_at(trials: Trials, rate: float) -> float | None:
    """The least threshold whose FMR is at most `rate`; None if that is fewer than 5 errors."""
    if rate * trials.independent < _LEAST_ERRORS:
        return None
    allowed = int(rate * len(trials.impostors))
    ordered = np.sort(trials.impostors)[::-1]
    return float(np.nextafter(ordered[min(allowed, len(ordered) - 1)], np.float32(np.inf)))


def equal_error_rate(trials: Trials) -> float:
    """Where FMR and FNMR meet: the mean of both at the threshold where they differ least."""
    thresholds = np.unique(np.concatenate([trials.impostors, trials.genuine]))
    false_matches = 1 - np.searchsorted(np.sort(trials.impostors), thresholds) / len(
        trials.impostors
    )
    misses = np.searchsorted(np.sort(trials.genuine), thresholds) / len(trials.genuine)
    at = int(np.argmin(np.abs(false_matches - misses)))
    return float(false_matches[at] + misses[at]) / 2


def curve(trials: Trials) -> Steps:
    """(score, L) steps, ascending: L = -log10 of the FMR's 95 % upper bound.

    About twenty a decade from 10 % down, the last just above the highest impostor. Scores are
    rounded up and evidence down, and a step never claims more than one above it.
    """
    ordered = np.sort(trials.impostors.astype(np.float64))[::-1]
    decades = np.arange(_FIRST_STEP * STEPS_A_DECADE, np.log10(len(ordered)) * STEPS_A_DECADE)
    places = np.unique((len(ordered) * 10 ** (-decades / STEPS_A_DECADE)).astype(int))
    wanted = np.append(ordered[places], ordered[0])
    scores = np.unique(np.ceil((wanted + 1e-6) * 1e5) / 1e5)
    evidence = -np.log10([rate.bound for rate in fmr(trials, scores)])
    evidence = np.floor(np.minimum.accumulate(evidence[::-1])[::-1] * 1e3) / 1e3
    return _rising(zip(scores.tolist(), evidence.tolist(), strict=True))


def open_set(
    samples: Samples, probes: Samples, size: int, fpir: float, seed: int = 1
) -> tuple[Rate, int] | None:
    """DIR at rank 1 where strangers raise a false alarm this often, and the people in the gallery.

    Half of the people who have more than `size` samples are enrolled with that many; their other
    recordings and everybody else's are probes. Twenty random halves; the interval is that of the
    halves. None where there is nobody to enrol, to find or to raise a false alarm.
    """
    rng = np.random.default_rng(seed)
    people, counts = np.unique(samples.people, return_counts=True)
    able = people[counts > size]
    enrolled = len(able) // 2
    if not enrolled:
        return None
    strangers: list[Values] = []
    found: list[Values] = []
    for _ in range(_SPLITS):
        gallery = rng.permutation(able)[:enrolled].tolist()
        hits, alarms = _split(samples.of(gallery), probes, size, rng)
        strangers.append(alarms)
        found.append(hits)
    if not min(map(len, found)) or not min(map(len, strangers)):
        return None
    alarms = np.sort(np.concatenate(strangers))[::-1]
    threshold = alarms[min(int(fpir * len(alarms)), len(alarms) - 1)]
    shares = np.array([float((one > threshold).mean()) for one in found])
    value = float((np.concatenate(found) > threshold).mean())
    low, high = np.quantile(shares, [_TAIL, 1 - _TAIL])
    bound = float(np.quantile(shares, CONFIDENCE))
    return Rate(value, float(low), float(high), bound, sum(map(len, found))), enrolled


def _split(
    gallery: Samples, probes: Samples, size: int, rng: np.random.Generator
) -> tuple[Values, Values]:
    """Scores of the enrolled at rank 1 (-2 where another was nearer), and of strangers."""
    made = templates(gallery, size, rng)  # the first of each person's is enrolled
    first = np.unique(made.people, return_index=True)[1]
    scores = (made.vectors[first] @ probes.vectors.T).astype(np.float64)
    known = np.isin(probes.people, made.people)
    enrolled_with = np.isin(probes.recordings, made.parts[first])
    best = scores.argmax(axis=0)
    right = made.people[first][best] == probes.people
    hits = np.where(right, scores.max(axis=0), -2.0)[known & ~enrolled_with]
    return hits, scores.max(axis=0)[~known]


def _rate(errors: int, comparisons: int, shares: Values, independent: int | None = None) -> Rate:
    counted = comparisons if independent is None else independent
    low, high, bound = clopper_pearson(errors * counted / comparisons, counted)
    drawn_low, drawn_high, drawn_bound = np.quantile(shares, [_TAIL, 1 - _TAIL, CONFIDENCE])
    return Rate(
        value=errors / comparisons,
        low=min(low, float(drawn_low)),
        high=max(high, float(drawn_high)),
        bound=max(bound, float(drawn_bound)),
        comparisons=comparisons,
    )


def _drawn(people: int, seed: int) -> Values:
    """How often each person was drawn, (draws, people)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(people, np.full(people, 1 / people), DRAWS).astype(np.float64)


def _rising(steps: Iterable[tuple[float, float]]) -> Steps:
    """The steps that say more than the one before."""
    kept: Steps = []
    for score, evidence in steps:
        if evidence > (kept[-1][1] if kept else 0.0):
            kept.append((score, evidence))
    return kept
