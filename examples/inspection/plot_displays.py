"""
Which display answers which question?
=====================================

Fifteen of the seventeen displays of :mod:`skdyn.inspection`, on quick fits of small data;
:class:`~skdyn.inspection.CasesDisplay` and :class:`~skdyn.inspection.DecisiveTimesDisplay` have
examples of their own. All are used in the same way: ``from_estimator`` computes and draws, also
from a pipeline or a search. ``plot`` draws again: on the axes ``ax``, under another ``name``, and
in any style that matplotlib knows. Afterwards ``ax_`` and ``figure_`` hold the axes and the figure.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.kernel_ridge import KernelRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import (
    AutoregressiveOperator,
    HopfieldMemory,
    HopfieldPoolingClassifier,
    KANClassifier,
    NeuralODE,
    SparseAutoencoder,
    SymbolicODERegressor,
)
from skdyn.datasets import load_lynx_hare, make_advection, make_bags, make_pendulum
from skdyn.inspection import (
    DictionaryDisplay,
    EdgeDisplay,
    EnergyLandscapeDisplay,
    FeatureDensityDisplay,
    FieldDisplay,
    FrontierDisplay,
    InstanceWeightsDisplay,
    KANDisplay,
    LossCurveDisplay,
    ParetoDisplay,
    PhasePortraitDisplay,
    RetrievalDisplay,
    RolloutDisplay,
    TrajectoryDisplay,
    VectorFieldDisplay,
)


def row(n):
    """Return n pairs of axes side by side."""
    return plt.subplots(1, n, figsize=(4 * n, 3), layout="constrained")[1]


# %%
# Laws of motion
# --------------
# Does the model follow the data, and where does it go from there? Hares and lynxes of twenty years;
# gray is forecast. How did the training go? In stages: velocities first, then longer and longer
# pieces of solutions. What field was learned?

record = load_lynx_hare()
units = {"hare": "thousand pelts", "lynx": "thousand pelts", "time": "years"}
model = NeuralODE(max_iter=60, tol=0, random_state=0).fit(record.frame, t=record.t)
shown = {"X": record.frame, "units": units}
axes = row(3)
TrajectoryDisplay.from_estimator(model, **shown, t=record.t, horizon=1930, ax=axes[0])
LossCurveDisplay.from_estimator(model, ax=axes[1])
VectorFieldDisplay.from_estimator(model, **shown, ax=axes[2])

# %%
# What do equations cost, and what do they buy? Where does the system found rest?

swings, times = make_pendulum(n_cases=4, noise=0.02, random_state=0)
law = SymbolicODERegressor(random_state=0).fit(swings, t=times)
axes = row(2)
ParetoDisplay.from_estimator(law, n_equations=2, ax=axes[0])
PhasePortraitDisplay.from_estimator(law, swings, t=times, n_trajectories=2, ax=axes[1])

# %%
# Functions on edges
# ------------------
# What did the network learn, as a whole and on one edge? Here it is the last step of a pipeline,
# whose names say that it does not see the data as they were measured.

iris = load_iris(as_frame=True)
network = make_pipeline(
    StandardScaler(), KANClassifier((2,), optimizer="adam", max_iter=30, tol=0, random_state=0)
)
network.fit(iris.data, iris.target_names[iris.target])
axes = row(2)
KANDisplay.from_estimator(network, feature_names=list("abcd"), ax=axes[0])
EdgeDisplay.from_estimator(network, 0, 3, 0, X=iris.data, ax=axes[1])

# %%
# Memories
# --------
# What does a memory make of spoilt images? Into which valley do queries fall? On which instances of
# a bag does an answer rest? Those planted are red.

digits = load_digits().data / 16
memory = HopfieldMemory().fit(digits[:200])
spoilt = digits[:12].copy()
spoilt[:, 32:] = np.nan
flat = HopfieldMemory(beta=20.0).fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
bags, labels, planted = make_bags(random_state=0)
pooling = HopfieldPoolingClassifier(max_iter=60, tol=0, skip=False, random_state=0)
pooling.fit(bags, labels)
positive = [number for number, found in enumerate(planted) if found.any()][:4]
axes = row(3)
RetrievalDisplay.from_estimator(memory, spoilt, stored=digits[:12], ax=axes[0])
EnergyLandscapeDisplay.from_estimator(flat, [[0.4, 0.6], [0.9, 0.6]], ax=axes[1])
InstanceWeightsDisplay.from_estimator(pooling, bags, bags=positive, marked=planted, ax=axes[2])

# %%
# Dictionaries
# ------------
# What are the atoms, how often are they used, and how much do how few of them explain?

sparse = [
    SparseAutoencoder(64, k=k, max_iter=20, tol=0, learning_rate=0.01, random_state=0).fit(digits)
    for k in (2, 4, 8)
]
axes = row(3)
DictionaryDisplay.from_estimator(sparse[1], image_shape=(8, 8), ax=axes[0])
FeatureDensityDisplay.from_estimator(sparse[1], ax=axes[1])
FrontierDisplay.from_estimators(sparse, digits, name="sparse autoencoder", ax=axes[2])

# %%
# Functions in time
# -----------------
# How does the error grow from step to step, and where is it?

first, later = make_advection(40, 32, times=np.linspace(0.05, 0.5, 10), random_state=0)
waves = np.concatenate([first[:, None], later], axis=1)[:, None]
stepper = AutoregressiveOperator(KernelRidge(alpha=1e-6)).fit(waves[:30])
axes = row(2)
RolloutDisplay.from_estimator(stepper, waves[30:], times=np.linspace(0, 0.5, 11), ax=axes[0])
rolled = stepper.rollout(waves[30:, :, 0], 10)
FieldDisplay.from_predictions(waves[30:, :, 10], rolled[:, :, -1], name="rolled out", ax=axes[1])

# %%
# Many channels
# -------------
# More than eight channels, bags or dictionaries stand in small panels, wherever they are drawn.

t_many = np.linspace(0, 6, 30)
many = np.cos(np.linspace(1, 3, 40)[:, None] * t_many)
noisy = many + 0.1 * np.random.default_rng(0).normal(size=many.shape)
names = [f"channel {number}" for number in range(40)]
TrajectoryDisplay(t_many, noisy, t_many, many, names).plot()
plt.show()
