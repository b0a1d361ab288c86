import numpy as np
import pytest
from scipy.stats import binomtest, norm

from registry.calibrating import rates
from registry.calibrating.trials import Trials, compare
from tests.registry.calibrating.made import people


def trials_of(impostors: list[float], genuine: list[float], count: int = 20) -> Trials:
    """Scores dealt out among so many people."""
    between = [(at % count, (at + 1 + at // count) % count) for at in range(len(impostors))]
    return Trials(
        impostors=np.array(impostors, np.float32),
        between=np.array(between),
        genuine=np.array(genuine, np.float32),
        whose=np.arange(len(genuine)) % count,
        recordings=np.full(count, 1000),
    )


@pytest.mark.parametrize(
    ("errors", "comparisons"), [(0, 50), (1, 50), (7, 300), (50, 50), (3, 100_000)]
)
def test_intervals_are_those_of_clopper_and_pearson(errors: int, comparisons: int) -> None:
    low, high, bound = rates.clopper_pearson(errors, comparisons)
    expected = binomtest(errors, comparisons).proportion_ci(0.95, "exact")
    one_sided = binomtest(errors, comparisons, alternative="less").proportion_ci(0.95, "exact")
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-6)
    assert bound == pytest.approx(one_sided.high, rel=1e-6)


def test_a_rate_counts_what_reaches_the_threshold_in_any_order() -> None:
    trials = trials_of([0.1, 0.2, 0.3, 0.4] * 10, [0.3, 0.5])
    wrong = rates.fmr(trials, [0.4, 0.05, 0.25, 0.9])
    assert [one.value for one in wrong] == [0.25, 1.0, 0.5, 0.0]
    assert all(one.low <= one.value <= one.high for one in wrong)
    assert all(one.value < one.bound <= one.high for one in wrong if one.value < 1)
    assert wrong[3].bound == pytest.approx(1 - 0.05 ** (1 / 40))
    assert rates.tmr(trials, 0.4).value == 0.5


def test_an_interval_is_wider_where_one_person_makes_all_errors() -> None:
    count, each = 20, 200
    pairs = [(one, two) for one in range(count) for two in range(count) if one != two]
    between = np.repeat(pairs, each, axis=0)
    of_one = np.where((between == 0).any(axis=1), 0.9, 0.1).astype(np.float32)
    shared = Trials(
        of_one, between, np.empty(0, np.float32), np.empty(0, int), np.full(count, 1000)
    )
    spread = np.random.default_rng(1).permutation(of_one)
    dealt = Trials(spread, between, shared.genuine, shared.whose, shared.recordings)
    (one,), (other,) = rates.fmr(shared, [0.5]), rates.fmr(dealt, [0.5])
    assert one.value == other.value == pytest.approx(0.1)
    assert one.high - one.low > 3 * (other.high - other.low)
    low, high, _ = rates.clopper_pearson(one.value * len(of_one), len(of_one))
    assert (one.low < low, one.high > high) == (True, True)


def test_the_equal_error_rate_of_two_normal_distributions() -> None:
    rng = np.random.default_rng(1)
    trials = trials_of(rng.normal(0, 1, 40_000).tolist(), rng.normal(2 * 1.645, 1, 40_000).tolist())
    assert rates.equal_error_rate(trials) == pytest.approx(0.05, abs=0.003)
    at = rates.threshold_at(trials, 0.01)
    assert at == pytest.approx(norm.ppf(0.99), abs=0.05)
    assert rates.fmr(trials, [at])[0].value <= 0.01
    assert rates.threshold_at(trials, 1e-4) is None  # that would be 4 errors


def test_a_curve_rises_never_claims_more_than_was_seen_and_ends_with_it() -> None:
    samples = people(60, 4, noise=1.5)
    trials = compare(samples, [samples], 1)
    steps = rates.curve(trials)
    scores, evidence = zip(*steps, strict=True)
    assert list(scores) == sorted(set(scores))
    assert list(evidence) == sorted(set(evidence))
    for score, claimed in steps:
        seen = (trials.impostors >= score).mean()
        assert claimed < -np.log10(seen) if seen else claimed > 0
    assert scores[-1] == pytest.approx(float(trials.impostors.max()), abs=2e-5)
    assert scores[-1] > trials.impostors.max()
    highest = -np.log10(1 - 0.05 ** (1 / len(trials.impostors)))
    assert evidence[-1] == pytest.approx(highest, abs=1e-3)
    assert 15 <= sum(2 <= one < 3 for one in evidence) <= 25


def test_a_curve_of_few_comparisons_is_one_cautious_step() -> None:
    (only,) = rates.curve(trials_of([0.1, 0.3, 0.2], []))
    assert only[0] > 0.3
    assert only[1] < -np.log10(0.5)


def test_people_are_found_among_the_enrolled_unless_they_are_all_alike() -> None:
    apart, alike = people(30, 3, noise=0.3), people(30, 3, noise=30)
    found = rates.open_set(apart, apart, 2, 0.01)
    assert found is not None
    assert (found[0].value, found[1]) == (1.0, 15)
    lost = rates.open_set(alike, alike, 2, 0.01)
    assert lost is not None
    assert lost[0].value < 0.2
    assert lost[0].low <= lost[0].value <= lost[0].high


def test_nobody_is_found_where_nobody_can_be_enrolled() -> None:
    samples = people(5, 2)
    assert rates.open_set(samples, samples, 2, 0.01) is None
    one = people(1, 4)
    assert rates.open_set(one, one, 1, 0.01) is None
    only_probes_of_strangers = people(2, 4, first=50, seed=7)
    assert rates.open_set(samples, only_probes_of_strangers, 1, 0.01) is None
