"""Misses against false matches: the detection error trade-off (Martin et al., 1997)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from registry.calibrating.study import Result
from registry.calibrating.trials import Trials
from registry.encoders.identity import Condition
from registry.errors import InvalidError, SetupError
from registry.matching.calibration import ALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which the colour-blind can tell apart.
_COLOURS: Final = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES: Final = ("-", "--", "-.", ":")
_MISSES: Final = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
_POINTS = 1000
_LEAST_TRIALS = 30  # of one person; fewer draw a staircase that says nothing


def det(results: Sequence[Result], title: str, file: Path) -> None:
    """Draw one panel for each condition and kind of probe into a PNG file.

    Raises SetupError where matplotlib is not installed, InvalidError where the file cannot be
    written.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise SetupError(
            "Plots need matplotlib: pip install 'likeness-registry[calibration]'"
        ) from error
    panels = list(dict.fromkeys((one.condition, one.probe) for one in results))
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(1.4 + 4.6 * columns, 1.6 + 4.2 * rows), layout="constrained")
    figure.suptitle(title, fontsize=12)
    drawn = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, panel in zip(drawn.flat, panels, strict=False):
        _draw(axes, results, panel)
    for axes in drawn.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in drawn[-1]:
        axes.set_xlabel("false matches, of comparisons\nof different people")
    for axes in drawn[:, 0]:
        axes.set_ylabel("misses, of comparisons of one person")
    lines = {line.get_label(): line for axes in drawn.flat for line in axes.get_lines()}
    shown = sorted(lines)
    figure.legend(
        [lines[one] for one in shown], shown, loc="outside lower center", ncols=3, fontsize=9
    )
    try:
        figure.savefig(file, dpi=110, format="png")
    except OSError as error:
        raise InvalidError(f"{file}: {error.strerror}.") from error


def _draw(axes: "Axes", results: Sequence[Result], panel: tuple[Condition, str]) -> None:
    groups = list(dict.fromkeys(one.group for one in results))
    drawn = False
    for one in results:
        if (one.condition, one.probe) != panel or len(one.trials.genuine) < _LEAST_TRIALS:
            continue
        false_matches, misses = rates(one.trials)
        drawn |= len(misses) > 0
        axes.plot(
            false_matches,
            norm.ppf(misses),
            color=_COLOURS[groups.index(one.group) % len(_COLOURS)],
            linestyle=_DASHES[one.size - 1],
            linewidth=2.0 if one.group == ALL else 1.3,
            label=f"{one.group}, {one.size} enrolled",
        )
    axes.set_title(f"{panel[0].value}, {panel[1]}", fontsize=11)
    if not drawn:
        axes.text(0.5, 0.5, "no threshold errs both ways", ha="center", transform=axes.transAxes)
    axes.set_xscale("log")
    axes.set_xlim(1e-5, 0.3)
    axes.set_ylim(norm.ppf(_MISSES[0]), norm.ppf(_MISSES[-1]))
    axes.set_yticks(norm.ppf(_MISSES), [f"{one:.1%}".replace(".0%", "%") for one in _MISSES])
    axes.set_xticks((1e-5, 1e-4, 1e-3, 1e-2, 1e-1), ["0.001%", "0.01%", "0.1%", "1%", "10%"])
    axes.grid(visible=True, color="#dddddd", linewidth=0.7)


def rates(trials: Trials) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """FMR and FNMR at each threshold where both err, falling and rising: enough for a line."""
    impostors, genuine = np.sort(trials.impostors), np.sort(trials.genuine)
    ranks = np.unique(np.geomspace(1, len(impostors), _POINTS).astype(int))
    thresholds = np.unique(np.concatenate([impostors[-ranks], genuine]))
    false_matches = 1 - np.searchsorted(impostors, thresholds) / len(impostors)
    misses = np.searchsorted(genuine, thresholds) / len(genuine)
    kept = (false_matches > 0) & (misses > 0) & (misses < 1)
    return false_matches[kept], misses[kept]
