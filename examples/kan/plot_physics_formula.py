"""
Can a network find the law by which velocities add up?
======================================================

A rocket flies at velocity u and fires a probe forward at velocity v, in units of the speed of
light. How fast is the probe? Nearly u + v while both are slow, but never faster than light. We
measure 800 probes, with errors, and let :class:`~skdyn.KANRegressor` go the whole way from data to
formula.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sympy
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from skdyn import KANRegressor
from skdyn.inspection import EdgeDisplay, KANDisplay


def speed(X):
    """Add velocities as Einstein did."""
    return (X["u"] + X["v"]) / (1 + X["u"] * X["v"])


rng = np.random.default_rng(0)
X = pd.DataFrame(rng.uniform(-0.9, 0.9, (800, 2)), columns=["u", "v"])
y = speed(X) + 0.01 * rng.normal(size=len(X))
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# Fit. Levenberg-Marquardt is the optimizer for formulas; a little of ``lamb`` asks for few
# edges. More hidden nodes than needed do no harm: those that are not needed fade away.

model = KANRegressor((3,), optimizer="lm", grid_sizes=(3, 5), n_init=4, lamb=1e-3, random_state=0)
model.fit(X_train, y_train)
KANDisplay.from_estimator(model)
print(f"Network, R2 on held-out data: {model.score(X_test, y_test):.4f}")

# %%
# Prune, and look at the edges that are left: both velocities pass through one and the same
# function, are added, and the sum passes through another. The first looks like the inverse of the
# hyperbolic tangent. Physicists know what it gives: the *rapidity*, which adds up as velocities do
# not. (Dotted: the functions that are suggested; ticks: the knots of the splines; gray: the data.)

small = model.prune()
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
EdgeDisplay.from_estimator(small, 0, 0, 0, suggest="arctanh", ax=axes[0])
EdgeDisplay.from_estimator(small, 0, 1, 0, suggest="arctanh", ax=axes[1])
EdgeDisplay.from_estimator(small, 1, 0, 0, suggest="tanh", ax=axes[2])

# %%
# Every edge gets a closed form, the surest first, and all others are refitted each time. Written
# out, the formula is exactly what ``predict`` computes; with data its constants are refitted, and
# those that may well be 0, 1, 1/2 or pi become so.

small.auto_symbolic(X_train, y_train)
KANDisplay.from_estimator(small)
whole = small.formula()
rounded = whole.xreplace({number: number.n(3) for number in whole.atoms(sympy.Float)})
print("As the network has it: ", rounded)
formula = small.formula(X_train, y_train)
print("With constants refitted:", formula)

# %%
# On new data from the same range network and formula are as good as the measurements, whose error
# is 0.01. But the formula goes on where there were no data: for probes faster than any that was
# measured, where the network that it came from can only guess.

fast = pd.DataFrame(rng.uniform(0.9, 0.999, (200, 2)), columns=["u", "v"])
compute = sympy.lambdify([sympy.Symbol(name, real=True) for name in X], formula)
for name, points, truth in (("held-out", X_test, y_test), ("faster", fast, speed(fast))):
    by_formula = np.asarray(compute(points["u"], points["v"]))
    rmse = np.sqrt(np.mean((by_formula - truth) ** 2))
    rmse_network = np.sqrt(np.mean((model.predict(points) - truth) ** 2))
    print(f"RMSE, {name} probes: formula {rmse:.2g}, network before {rmse_network:.2g}")
print(f"Formula, R2 on held-out data: {r2_score(y_test, compute(X_test['u'], X_test['v'])):.4f}")

plt.show()
