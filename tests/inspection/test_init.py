"""The contract of displays: what is true of every one, measured on what it draws.

A new display is found by its name in ``skdyn.inspection.__all__`` and needs a line in ``SHOWN``.
"""

import inspect
import re
from types import SimpleNamespace
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.artist import Artist
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skdyn.inspection as displays
from skdyn import KANClassifier, KANRegressor

rng = np.random.default_rng(0)
DISPLAYS = [name for name in displays.__all__ if inspect.isclass(getattr(displays, name))]


# -- what is drawn ------------------------------------------------------------------------------


class Stands(BaseEstimator):
    """Stands for a fitted estimator of any kind, of as many channels as its data have."""

    fitted_ = True
    loss_curve_ = (1 / np.arange(1, 41)).tolist()
    validation_scores_ = (-2 / np.arange(1, 41)).tolist()
    stages_ = [("collocation", 10), ("windows of 10 intervals", 20), ("windows of 40", 10)]
    patterns_ = rng.normal(size=(5, 2))

    def __init__(self, components_=None, pareto_front_=None, n_kept=3):
        self.n_kept = n_kept
        self.components_, self.pareto_front_ = components_, pareto_front_

    @property
    def feature_density_(self):
        """Return a share for each atom, and a dead one."""
        n_atoms = 90 if self.components_ is None else len(self.components_)
        return np.append(0.0, 10.0 ** np.linspace(-3, 0, n_atoms - 1))

    def fit(self, X, y=None):
        """Stand still."""
        return self

    def simulate(self, x0, t):
        """Return waves of (n_times, n_channels)."""
        return x0 * np.cos(np.linspace(1, 3, len(x0)) * np.asarray(t)[:, None])

    def vector_field(self, X):
        """Return a rotation."""
        return np.roll(X, 1, axis=1) * np.resize([1.0, -1.0], X.shape[1])

    def fixed_points(self, bounds):
        """Return one of each kind."""
        kinds = ["stable node", "saddle", "unstable focus", "center", "degenerate"]
        return [
            SimpleNamespace(point=np.full(len(bounds), 0.2 * k), kind=kind)
            for k, kind in enumerate(kinds)
        ]

    def rollout(self, past, n_steps):
        """Return what does not change, of (n_cases, n_channels, n_steps, n_points)."""
        return np.repeat(past, n_steps, axis=2)

    def predict(self, X):
        """Return it, a little larger."""
        return 1.1 * np.asarray(X)

    def instance_weights(self, X):
        """Return equal weights."""
        return [np.full(len(bag), 1 / len(bag)) for bag in X]

    def explain(self, X, n_cases=5, *, cases=None):
        """Return cases of two classes, and the rest."""
        index = pd.MultiIndex.from_product([[0], range(n_cases + 1)], names=["query", "rank"])
        return pd.DataFrame({
            "case": [*range(n_cases), pd.NA], "kind": ["case"] * n_cases + ["other cases"],
            "weight": 1 / (n_cases + 1),
            "target": [*np.resize(["calm", "lively"], n_cases), None],
        }, index=index)  # fmt: skip

    def energy(self, X):
        """Return half the square."""
        return (np.asarray(X) ** 2).sum(axis=1) / 2

    def retrieve(self, X, n_steps=None):
        """Return a half."""
        return np.nan_to_num(np.asarray(X)) / 2

    def get_feature_names_out(self):
        """Return two names."""
        return ["warmth", "moisture"]

    def transform(self, X):
        """Return some columns, and zeros."""
        return np.where(np.arange(X.shape[1]) < self.n_kept, X, 0.0)

    def inverse_transform(self, X):
        """Return it."""
        return X


class StandsForSeries(Stands):
    """Stands for one that reads series."""

    _reads_series = True

    def predict(self, X, t):
        """Return sums."""
        return np.array([case.sum() for case in X])


class Case(NamedTuple):
    """How a display is drawn: a class method, an estimator for it, and what else it is given."""

    make: object
    model: object = Stands()
    given: tuple = ()
    more: dict = {}

    def draw(self, wrap=lambda model: model, **settings):
        """Draw it, of an estimator that may be wrapped in others."""
        models = [wrap(model) for model in self.model] if isinstance(self.model, list) else None
        first = wrap(self.model) if models is None else models
        return self.make(first, *self.given, **self.more, **settings)


def waves(n_channels, n_cases=1):
    t = np.linspace(0, 6, 20)
    x = np.cos(np.linspace(1, 3, n_channels)[:, None] * t)
    return np.stack([x * (1 + case) for case in range(n_cases)])


def front(n_systems, n_states):
    names = [f"x{k}" for k in range(n_states)]
    terms = " + ".join(f"{k}.125 {name} x0" for k, name in enumerate(names[:6]))
    return Stands(None, pd.DataFrame({
        "complexity": range(1, n_systems + 1),
        "error": 0.5 ** np.arange(n_systems),
        "equations": [[f"{name}' = {terms}" for name in names]] * n_systems,
        "selected": np.arange(n_systems) == n_systems // 2,
    }))  # fmt: skip


def dictionaries(n):
    """Return three fits of each, samples and names."""
    names = [f"dictionary {k // 3}" for k in range(3 * n)]
    fits = [Stands(n_kept=k % 3 + 1) for k in range(3 * n)]
    return fits, (rng.normal(size=(20, 6)),), {"names": names}


def bags(n):
    return [np.ones((3 + k % 4, 1)) for k in range(n)]


X_WIDE = pd.DataFrame(rng.normal(size=(60, 40)), columns=[f"gene {k:02d}" for k in range(40)])
SMALL = KANRegressor(((1, 1),), optimizer="lm", max_iter=2, tol=0, random_state=0)
SMALL.fit(X_WIDE.iloc[:, :2], X_WIDE["gene 00"]).fix_symbolic(0, 0, 0, "x^2")
TRAJECTORY = {"t": np.linspace(0, 6, 20), "horizon": 9, "units": {"time": "years"}}
PATHS = {"t": np.linspace(0, 6, 20), "grid_resolution": 8}

SHOWN = {
    "CasesDisplay": Case(displays.CasesDisplay.from_estimator, given=(rng.normal(size=(2, 3)),)),
    "DecisiveTimesDisplay": Case(
        displays.DecisiveTimesDisplay.from_estimator, StandsForSeries(),
        (waves(2, 3),), {"t": np.linspace(0, 6, 20)},
    ),
    "DictionaryDisplay": Case(
        displays.DictionaryDisplay.from_estimator, Stands(rng.normal(size=(30, 9)))
    ),
    "EdgeDisplay": Case(
        displays.EdgeDisplay.from_estimator, SMALL, (0, 0, 1), {"suggest": "sin"}
    ),
    "EnergyLandscapeDisplay": Case(
        displays.EnergyLandscapeDisplay.from_estimator, given=(rng.normal(size=(3, 2)),)
    ),
    "FeatureDensityDisplay": Case(displays.FeatureDensityDisplay.from_estimator),
    "FieldDisplay": Case(displays.FieldDisplay.from_estimator, given=(waves(30)[0],) * 2),
    "FrontierDisplay": Case(
        displays.FrontierDisplay.from_estimators, *dictionaries(7),
    ),
    "InstanceWeightsDisplay": Case(
        displays.InstanceWeightsDisplay.from_estimator, given=(bags(8),)
    ),
    "KANDisplay": Case(displays.KANDisplay.from_estimator, SMALL),
    "LossCurveDisplay": Case(displays.LossCurveDisplay.from_estimator),
    "ParetoDisplay": Case(
        displays.ParetoDisplay.from_estimator, front(8, 2), more={"n_equations": 3}
    ),
    "PhasePortraitDisplay": Case(
        displays.PhasePortraitDisplay.from_estimator, given=(waves(2, 3),), more=PATHS
    ),
    "RetrievalDisplay": Case(
        displays.RetrievalDisplay.from_estimator, given=(rng.normal(size=(5, 16)),)
    ),
    "RolloutDisplay": Case(
        displays.RolloutDisplay.from_estimator, given=(rng.normal(size=(3, 1, 8, 5)),)
    ),
    "TrajectoryDisplay": Case(
        displays.TrajectoryDisplay.from_estimator, given=(waves(8),), more=TRAJECTORY
    ),
    "VectorFieldDisplay": Case(
        displays.VectorFieldDisplay.from_estimator, given=(waves(2, 3),),
        more={"grid_resolution": 8},
    ),
}  # fmt: skip

# Forty of what there may be many of: channels, bags, images, atoms, names, inputs, equations.
CROWDED = {
    "bags": Case(displays.InstanceWeightsDisplay.from_estimator, given=(bags(40),)),
    "channels": Case(
        displays.TrajectoryDisplay.from_estimator, given=(waves(40),), more=TRAJECTORY
    ),
    "dictionaries": Case(
        displays.FrontierDisplay.from_estimators, *dictionaries(40),
    ),
    "atoms": Case(
        displays.DictionaryDisplay.from_estimator, Stands(rng.normal(size=(40, 40))),
        (range(40),),
    ),
    "images": Case(
        displays.DictionaryDisplay.from_estimator, Stands(rng.normal(size=(60, 64))),
        more={"image_shape": (8, 8)},
    ),
    "digits": Case(displays.RetrievalDisplay.from_estimator, given=(rng.normal(size=(40, 64)),)),
    "equations": Case(
        displays.ParetoDisplay.from_estimator, front(9, 40), more={"n_equations": 9}
    ),
    "states": Case(
        displays.PhasePortraitDisplay.from_estimator, given=(waves(40, 2),), more=PATHS
    ),
    "fields": Case(displays.FieldDisplay.from_estimator, given=(waves(30)[None],) * 2),
    "stages": Case(
        displays.LossCurveDisplay.from_estimator,
        SimpleNamespace(
            loss_curve_=np.geomspace(1, 1e-4, 40), stages_=[(f"grid {k}", 4) for k in range(10)]
        ),
    ),
}  # fmt: skip
EVERY = SHOWN | CROWDED
PANELS = ("channels", "bags", "dictionaries", "atoms")
HAVE_A_CROWD = {case.make.__self__.__name__ for case in CROWDED.values()}
# What holds a crowd holds fewer; panels are split alike: one such crowd is seen in a row.
SMALL_PLACES = [
    *((name, "4 x 3 inches") for name in EVERY if name not in HAVE_A_CROWD),
    *((name, "a row of three") for name in [*SHOWN, PANELS[0]]),
]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def axes_of(display):
    return list(np.ravel(display.ax_))


# -- what is measured ---------------------------------------------------------------------------


def places(kind):
    """Return the axes to draw on."""
    if kind == "4 x 3 inches":
        return plt.subplots(figsize=(4, 3))[1]
    return plt.subplots(1, 3, figsize=(12, 3), layout="constrained")[1][1]


def written(ax):
    """Yield the texts of axes that are seen."""
    for axis, (low, high) in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim()))):
        if ax.axison and axis.get_visible():
            ticks = axis.get_major_ticks() + axis.get_minor_ticks()
            ticks = [tick for tick in ticks if low <= tick.get_loc() <= high]
            yield from [tick.label1 for tick in ticks if tick.label1.get_visible()]
            yield axis.label
    legend = ax.get_legend()
    yield from [*ax.texts, ax.title, *(legend.get_texts() if legend else [])]


def faults(display):
    """List what is wrong with a picture: outside, covered, too small, or without a label."""
    figure = display.figure_
    figure.draw_without_rendering()
    own = [ax for ax in figure.axes if list(written(ax)) and ax not in others(display)]
    found, page = [], figure.bbox.padded(1)
    for ax in own:
        box = ax.get_tightbbox()
        if not page.containsx(box.x0) or not page.containsx(box.x1):
            found.append(f"wider than the figure by {max(-box.x0, box.x1 - page.x1):.0f} pixels")
        if not page.containsy(box.y0) or not page.containsy(box.y1):
            found.append(f"higher than the figure by {max(-box.y0, box.y1 - page.y1):.0f} pixels")
    texts = [text for ax in own for text in written(ax) if text.get_text().strip()]
    boxes = [text.get_window_extent() for text in texts]
    for k, (text, box) in enumerate(zip(texts, boxes, strict=True)):
        if text.get_fontsize() < 4.9:
            found.append(f"{text.get_text()!r} in letters of {text.get_fontsize():.1f} points")
        for other, its in zip(texts[:k], boxes[:k], strict=True):
            if overlap(box, its) > 0.1 * min(box.width * box.height, its.width * its.height):
                found.append(f"{text.get_text()!r} over {other.get_text()!r}")
        if any(overlap(box, other.get_window_extent()) for other in others(display)):
            found.append(f"{text.get_text()!r} over axes beside it")
    for ax in axes_of(display):
        legend = ax.get_legend()
        if legend and len(legend.get_texts()) > 6 and overlap(legend.get_window_extent(), ax.bbox):
            found.append("a long legend inside the axes")
    drawn = sum(ax.bbox.width * ax.bbox.height for ax in axes_of(display))
    n_places = 3 if others(display) else 1
    if drawn < 0.12 * figure.bbox.width * figure.bbox.height / n_places:
        found.append("next to nothing is left of the axes")
    for which in ("x", "y"):
        axes = [getattr(ax, f"{which}axis") for ax in axes_of(display) if ax.axison]
        ticks = [tick.get_text() for axis in axes for tick in axis.get_ticklabels()]
        if any(map(is_number, ticks)) and not any(axis.label.get_text() for axis in axes):
            found.append(f"no label of the {which} axis")
    return found


def is_number(text):
    """Whether a tick is a number, in TeX perhaps, not a name."""
    plain = re.sub(r"\\[a-z]+", "", text)
    return bool(re.search(r"\d", plain)) and not re.search(r"[a-z]", plain)


def overlap(box, other):
    common = Bbox.intersection(box, other)
    return 0.0 if common is None else common.width * common.height


def others(display):
    """Return the axes of a row that are not the display's."""
    return [ax for ax in display.figure_.axes if ax.get_label() == "beside"]


# -- the contract -------------------------------------------------------------------------------


def test_every_display_is_shown_here():
    assert set(SHOWN) == set(DISPLAYS)


@pytest.mark.parametrize("name", DISPLAYS)
def test_all_displays_are_made_and_drawn_in_one_way(name):
    display = getattr(displays, name)
    plot = inspect.signature(display.plot)
    assert str(plot.replace(return_annotation=plot.empty)) == (
        "(self, *, ax: Any = None, name: str | None = None, **style: Any)"
    )
    makers = [getattr(display, name) for name in vars(display) if name.startswith("from_")]
    assert makers
    for maker in makers:
        parameters = inspect.signature(maker).parameters
        assert list(parameters)[-3:] == ["ax", "name", "style"]
        assert parameters["ax"].kind is parameters["name"].kind is inspect.Parameter.KEYWORD_ONLY
    assert "figure_ : " in display.__doc__


@pytest.mark.parametrize(("name", "kind"), SMALL_PLACES)
def test_all_is_inside_the_figure_apart_and_large_enough_to_be_read(name, kind):
    ax = places(kind)
    for other in set(ax.figure.axes) - {ax}:
        other.set_label("beside")
        other.set(xticks=[], yticks=[])
    display = EVERY[name].draw(ax=ax)
    assert display.figure_ is axes_of(display)[0].figure is ax.figure
    assert faults(display) == []
    if name in PANELS:
        assert len(display.ax_) == 40


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_figure_of_its_own_has_no_faults_and_another_is_drawn_under_a_name_in_a_style(name):
    display = SHOWN[name].draw()
    assert display.figure_ is axes_of(display)[0].figure
    assert faults(display) == []
    before, ax = axes_of(display), plt.figure(layout="constrained").add_subplot()
    assert display.plot(ax=ax, name="the name it got", alpha=0.123) is display
    assert display.figure_ is ax.figure
    assert not set(before) & set(axes_of(display))
    artists = ax.figure.findobj(Artist)
    assert any(artist.get_alpha() == 0.123 for artist in artists)
    texts = [text.get_text() for text in ax.figure.findobj(Text) if text.get_visible()]
    assert any("the name it got" in text for text in texts)
    with pytest.raises((AttributeError, TypeError), match="no_such_setting"):
        display.plot(no_such_setting=1)


def in_search(model):
    search = GridSearchCV(make_pipeline(FunctionTransformer(), model), {})
    search.best_estimator_ = search.estimator  # fitted before
    return search


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_search_over_pipelines_is_shown_as_what_it_holds(name, monkeypatch):
    """What is drawn is drawn from parameters alone, so that equal ones need no picture."""
    display = getattr(displays, name)
    monkeypatch.setattr(display, "plot", lambda self, **settings: self)
    plain, wrapped = SHOWN[name].draw(), SHOWN[name].draw(in_search)
    assert type(wrapped) is type(plain) is display
    for parameter in inspect.signature(display).parameters:
        shown, expected = (repr(getattr(each, parameter)) for each in (wrapped, plain))
        assert shown.replace(" (transformed)", "") == expected


def test_a_network_of_13_8_and_3_nodes_can_be_read_at_4_x_3_inches():
    X = rng.normal(size=(60, 13))
    model = KANClassifier((8,), max_iter=1, tol=0, random_state=0)
    model.fit(X, np.digitize(X[:, 0], [-0.4, 0.4]))
    display = displays.KANDisplay.from_estimator(model, ax=places("4 x 3 inches"))
    assert faults(display) == []
    boxes = [box.get_window_extent() for layer in display.boxes_ for box in layer]
    assert len(boxes) == 13 * 8 + 8 * 3
    assert min(box.width for box in boxes) > 0.1 * display.figure_.dpi
    assert not any(overlap(a, b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_faults_are_found():
    _, ax = plt.subplots(figsize=(4, 3))
    display = SimpleNamespace(ax_=ax, figure_=ax.figure)
    ax.plot([0, 1])
    ax.text(0.5, 0.5, "one"), ax.text(0.5, 0.5, "two", fontsize=3), ax.set_title("wide " * 30)
    found = " ".join(faults(display))
    for words in ("wider than the figure", "'two' over 'one'", "3.0 points", "no label of the x"):
        assert words in found
    ax.set_position([0.4, 0.4, 0.2, 0.2])
    assert "next to nothing is left of the axes" in faults(display)
