from itertools import combinations

import numpy as np
import pytest

from registry.calibrating.trials import Samples, compare, templates
from tests.registry.calibrating.made import people


def test_two_samples_meet_once_and_a_sample_never_meets_itself() -> None:
    samples = people(4, 3)
    trials = compare(samples, [samples], 1)
    pairs = list(combinations(range(12), 2))
    expected = sorted(
        float(samples.vectors[one] @ samples.vectors[two])
        for one, two in pairs
        if samples.people[one] != samples.people[two]
    )
    assert np.sort(trials.impostors) == pytest.approx(expected, abs=1e-6)
    assert len(trials.genuine) == 4 * 3
    assert trials.independent == len(trials.impostors) == 66 - 12
    assert (trials.between[:, 0] != trials.between[:, 1]).all()
    assert trials.people == 4


@pytest.mark.parametrize("size", [2, 3])
def test_a_template_is_a_mean_of_unit_length_and_never_meets_its_own_parts(size: int) -> None:
    samples = people(5, 4)
    made = templates(samples, size, np.random.default_rng(1))
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx(np.ones(20), abs=1e-6)
    for vector, person, parts in zip(made.vectors, made.people, made.parts, strict=True):
        assert len(set(parts)) == size
        assert set(samples.people[parts]) == {person}
        mean = samples.vectors[parts].mean(axis=0)
        assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    trials = compare(samples, [samples], size)
    assert len(trials.genuine) == 20 * (4 - size)
    assert trials.genuine.max() < 0.999
    assert len(trials.impostors) == 20 * 16
    assert trials.independent == 5 * 4 // 2 * 16  # no more than pairs of two samples


def test_who_has_too_few_samples_is_a_probe_only() -> None:
    few, many = people(2, 1, seed=2, first=0), people(2, 3, seed=3, first=2)
    both = Samples(
        np.concatenate([few.vectors, many.vectors]),
        np.concatenate([few.people, many.people]),
        np.arange(8),
    )
    trials = compare(both, [both], 3)
    assert set(trials.between[:, 0]) == {2, 3}
    assert set(trials.between[:, 1]) == {0, 1, 2, 3}
    assert len(trials.genuine) == 0
    assert len(compare(few, [few], 2).impostors) == 0


def test_of_several_kinds_of_probe_the_most_alike_counts() -> None:
    enrolled, other = people(3, 2, seed=4), people(3, 2, seed=5)
    some = Samples(other.vectors[:4], other.people[:4], other.recordings[:4])
    one, two = (compare(enrolled, [kind], 2).impostors for kind in (enrolled, other))
    both = compare(enrolled, [enrolled, other], 2).impostors
    assert both == pytest.approx(np.maximum(one, two))
    partly = compare(enrolled, [enrolled, some], 2).impostors
    assert ((partly == both) | (partly == one)).all()
    assert (partly != both).any()


def test_a_group_is_compared_with_itself() -> None:
    samples = people(6, 2)
    inside = compare(samples, [samples], 1).within({1, 4})
    assert set(map(tuple, inside.between)) == {(1, 4)}
    assert set(inside.whose) == {1, 4}
    assert (len(inside.impostors), inside.independent, inside.people) == (4, 4, 2)
