import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from registry.calibrating import plot
from registry.calibrating.study import Taken, measure
from registry.calibrating.trials import compare
from registry.encoders.identity import Condition
from registry.errors import InvalidError, SetupError
from tests.registry.calibrating.made import people


def test_a_line_falls_and_ends_where_one_kind_of_error_does() -> None:
    samples = people(30, 4, noise=2)
    trials = compare(samples, [samples], 1)
    false_matches, misses = plot.rates(trials)
    assert (np.diff(false_matches) <= 0).all()
    assert (np.diff(misses) >= 0).all()
    at = len(misses) // 2
    threshold = np.sort(trials.genuine)[round(misses[at] * len(trials.genuine))]
    assert false_matches[at] == pytest.approx((trials.impostors >= threshold).mean(), abs=0.01)


def test_every_condition_and_kind_of_probe_has_a_panel(tmp_path: Path) -> None:
    hard, easy = people(20, 3, noise=2), people(20, 3, noise=0.1)
    taken = [
        Taken(Condition.WIDE, hard, {"whole": hard, "3 s": hard}),
        Taken(Condition.TELEPHONE, easy, {"whole": easy, "3 s": easy}),
    ]
    results, _ = measure(taken, {"some": frozenset(range(8))})
    file = tmp_path / "plot.png"
    plot.det(results, "made up", file)
    with Image.open(file) as image:
        assert image.format == "PNG"
        assert image.size[0] > 1000
        assert image.size[1] > 800
    with pytest.raises(InvalidError, match="No such file"):
        plot.det(results, "made up", tmp_path / "no" / "plot.png")


def test_without_matplotlib_one_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SetupError, match="calibration"):
        plot.det([], "made up", tmp_path / "plot.png")
