"""
Which operator for how many samples?
====================================

Four operators learn the same map, from the initial state of Burgers' equation to the state at time
1, from 20, 60 and 180 pairs. A ridge regression on the values of the initial state stands beside
them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV

from skdyn import DeepONetRegressor, FNORegressor, KernelOperatorRegressor, MgNORegressor
from skdyn.datasets import make_burgers

X, y = make_burgers(n_samples=240, n_points=32, nu=0.02, random_state=0)
X_test, y_test = X[180:], y[180:]
operators = {
    "FNO": FNORegressor(n_modes=8, max_iter=25, periodic=True, random_state=0),
    "MgNO": MgNORegressor("periodic", max_iter=10, random_state=0),
    "DeepONet": DeepONetRegressor(max_iter=80, periodic=True, random_state=0),
    "kernel operator": KernelOperatorRegressor(periodic=True, random_state=0),
}

# %%
# The error of a field is its distance from the truth over the size of the truth.


def error(fields):
    """Return the mean relative error of predicted fields."""
    off = np.linalg.norm((fields - y_test).reshape(len(y_test), -1), axis=1)
    return (off / np.linalg.norm(y_test.reshape(len(y_test), -1), axis=1)).mean()


sizes = [20, 60, 180]
errors = {name: [] for name in [*operators, "ridge"]}
for size in sizes:
    for name, operator in operators.items():
        errors[name].append(error(operator.fit(X[:size], y[:size]).predict(X_test)))
    ridge = RidgeCV(np.logspace(-6, 2, 9)).fit(*(part[:size].reshape(size, -1) for part in (X, y)))
    flat = ridge.predict(X_test.reshape(len(X_test), -1))
    errors["ridge"].append(error(flat.reshape(y_test.shape)))

# %%
# From 20 pairs nothing beats ridge by much. Then the Fourier operator gains most, since the
# equation is the same everywhere on the circle; ridge, which is linear, gains nothing.

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for (name, line), style in zip(errors.items(), ["-", "--", "-.", ":", "-"], strict=True):
    axes.loglog(sizes, line, style, marker="o", label=name)
    print(f"{name:16}", *(f"{value:.3f}" for value in line))
axes.set(xlabel="pairs to learn from", ylabel="relative error", xticks=sizes, xticklabels=sizes)
axes.minorticks_off()
axes.legend()
plt.show()
