"""
Does a swinging pendulum tell its law, friction included?
=========================================================

A camera sees a pendulum come to rest, at irregular moments; angle and angular velocity have five
percent of noise. We ask two estimators for the equations of motion: one that needs a library and a
threshold, one that needs neither. Then we ask the equations for something that was never seen.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skdyn import (
    STLSQ,
    FiniteDifference,
    FourierLibrary,
    PolynomialLibrary,
    SINDyRegressor,
    SplineDerivative,
    SymbolicODERegressor,
)
from skdyn.datasets import make_pendulum
from skdyn.inspection import PhasePortraitDisplay

pd.set_option("display.width", 120, "display.max_columns", 10)
options = {"gravity": 9.81, "length": 2.0, "damping": 0.3, "t_span": (0.0, 12.0)}
series, t = make_pendulum(
    n_timepoints=250, x0=[2.8, 0.0], irregular="shared", noise=0.05, random_state=0, **options
)
X = pd.DataFrame(series[0].T, columns=["theta", "omega"])

# %%
# **A library and a threshold.** Constants, angles, sines and cosines are offered, and terms with
# coefficients below 0.1 dropped. Derivatives of noisy points are mostly noise, so that finite
# differences find nonsense; a spline that smooths as much as the noise asks for does far better.

library = PolynomialLibrary(degree=1) + FourierLibrary()
for method in (FiniteDifference(), SplineDerivative()):
    print(type(method).__name__)
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        sindy = SINDyRegressor(library, method, STLSQ(threshold=0.1)).fit(X, t=t)
    sindy.print()
    for doubt in doubts:
        print(doubt.message)

# %%
# Another threshold would find other equations, and without the truth we could not say which are
# right: R2 of the derivatives hardly moves.

for threshold in (0.02, 0.1, 0.2, 0.5):
    with warnings.catch_warnings(action="ignore"):  # some thresholds leave too little
        model = SINDyRegressor(library, SplineDerivative(), STLSQ(threshold)).fit(X, t=t)
    n_terms = np.count_nonzero(model.coef_)
    print(f"threshold {threshold}: {n_terms} terms, R2 {model.score(X, t=t):.4f}")

# %%
# **Neither.** :class:`~skdyn.SymbolicODERegressor` compares with the measurements themselves, whose
# noise it estimates, and stops where more terms describe nothing but noise. No list of terms is
# given: polynomials, fractions, roots, exponentials and more compete with the sine.

free = SymbolicODERegressor().fit(X, t=t)
free.print()
columns = ["equation", "term", "value", "std_error", "inclusion_probability"]
print(free.coefficients()[columns].round(4).to_string(index=False))
print("Noise it found:", free.noise_.round(3))

# %%
# Look at the last column: the search weighs all systems that it tried by how well they describe the
# data, and a term whose probability is not close to one may be chance. What we know can settle
# that. A pendulum does not tell left from right: mirrored motions are motions.

model = SymbolicODERegressor(symmetry=[[-1, -1]]).fit(X, t=t)
model.print()
print(model.coefficients()[columns].round(4).to_string(index=False))

# %%
# The true factor of the sine is g / l = 4.905, friction is 0.3 and theta' is omega exactly.
# Constants that may well be round have become so; the standard errors say what the data alone know.
#
# The equations hold where no data were. Pushed hard enough, the pendulum goes over the top, and
# then comes to rest one turn farther.

figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
t_new = np.linspace(0.0, 12.0, 400)
push = np.array([0.0, 6.5])
truth, _ = make_pendulum(n_timepoints=400, x0=push, **options)
axes[0].plot(t_new, truth[0, 0], color="0.7", lw=5, label="truth")
for name, found, style in (("SINDy", sindy, "--"), ("search", model, "-")):
    axes[0].plot(t_new, found.simulate(push, t_new)[:, 0], style, color="C3", lw=1.2, label=name)
axes[0].set(xlabel="time", ylabel="theta", title="after a push")
axes[0].legend()
bounds = [[-4.0, 8.0], [-6.0, 7.0]]
PhasePortraitDisplay.from_estimator(model, X, t=t, bounds=bounds, ax=axes[1])

# %%
# At rest below (a stable focus, swings die down) and, in theory, above (a saddle). The eigenvalues
# tell how: below, the real part is half of the friction, with its sign turned, and the imaginary
# part the frequency of small swings.

for point, eigenvalues, kind in model.fixed_points(bounds):
    print(f"{kind} at theta = {point[0] / np.pi:+.2f} pi:", eigenvalues.round(3))

plt.show()
