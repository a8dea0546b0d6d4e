"""
Which kernel fits a function that levels off?
=============================================

An RBF kernel says that a function waves at one rate everywhere, and that nothing is known where
there are no data. A wide network of sigmoids says that it turns here and there and then levels off.
Which one is right is a question about the data, and they answer it: by the marginal likelihood.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import t
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from skdyn.kernels import NNGPKernel, NTKKernel, StudentTProcessRegressor

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (40, 1))
grid = np.linspace(-2, 2, 200)[:, None]
functions = {"a switch": lambda x: np.tanh(12 * x), "a wave": lambda x: np.sin(7 * x)}
noise = 0.1 * rng.normal(size=len(X))
kernels = {"RBF": ConstantKernel() * RBF()}
for activation in ("relu", "erf", "sin"):
    kernels[activation] = NNGPKernel(activation=activation, input_var=1.0)

# A variance that is not needed ends at its bound, and scikit-learn says so.
warnings.simplefilter("ignore", ConvergenceWarning)

# %%
# Each kernel gets the same forty noisy points of both functions, and chooses its own variances.
# The shaded intervals hold 95 % of what it expects; beyond the points they show what it takes for
# granted.

figure, axes = plt.subplots(2, 4, figsize=(12, 5), layout="constrained", sharex=True, sharey=True)
rows = []
for (name, function), line in zip(functions.items(), axes, strict=True):
    y = function(X[:, 0]) + noise
    for (kind, kernel), ax in zip(kernels.items(), line, strict=True):
        process = GaussianProcessRegressor(
            kernel + WhiteKernel(0.1), n_restarts_optimizer=3, random_state=0
        ).fit(X, y)
        mean, std = process.predict(grid, return_std=True)
        within = np.abs(grid[:, 0]) < 1
        error = np.sqrt(np.mean((mean - function(grid[:, 0]))[within] ** 2))
        rows.append((name, kind, process.log_marginal_likelihood_value_, error))
        ax.fill_between(grid[:, 0], mean - 2 * std, mean + 2 * std, alpha=0.3)
        ax.plot(grid[:, 0], mean)
        ax.plot(grid[:, 0], function(grid[:, 0]), "k--", lw=1)
        ax.plot(X[:, 0], y, "k.", ms=3)
        ax.set(title=f"{name}, {kind}", ylim=(-3, 3))
table = pd.DataFrame(rows, columns=["function", "kernel", "log likelihood", "error"])
print(table.round(3).to_string(index=False))

# %%
# The likelihood is known without any test data, and it names the kernel that errs least: the
# sigmoids for the switch, where the RBF kernel has to wave along the flat parts, and the sines or
# the RBF kernel for the wave. Relus can neither: their functions have a kink at every data point,
# and are meant for tables with many columns.
#
# A network that gradient descent trains has another kernel. Ridge regression with it is that
# network, trained to the end.

plain, tangent = (cls(depth=3)(grid[[100]], grid)[0] for cls in (NNGPKernel, NTKKernel))
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(grid[:, 0], plain / plain.max(), label="random network (NNGP)")
ax.plot(grid[:, 0], tangent / tangent.max(), label="network in training (NTK)")
ax.set(xlabel="x", ylabel="kernel of x and 0, over its maximum", title="Three layers of relus")
ax.legend()

# %%
# Last, eight values of a function that varies four times as much as the kernel says. A Gaussian
# process holds to its own scale, whatever it sees; a Student-t process widens its intervals.

few = np.linspace(-1.5, 1.5, 8)[:, None]
values = 4 * np.sin(2 * few[:, 0] + 0.5)
kernel = RBF(0.4)
settings = {"optimizer": None, "alpha": 1e-2, "normalize_y": False}
processes = {
    "Gaussian process": GaussianProcessRegressor(kernel, **settings),
    "Student-t process": StudentTProcessRegressor(kernel, nu=4.0, **settings),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained", sharey=True)
for (name, process), ax in zip(processes.items(), axes, strict=True):
    mean, std = process.fit(few, values).predict(grid, return_std=True)
    half = 1.96 * std
    if name.startswith("Student"):
        half = t(process.dof_).ppf(0.975) * std * np.sqrt((process.dof_ - 2) / process.dof_)
    ax.fill_between(grid[:, 0], mean - half, mean + half, alpha=0.3, label="95 %")
    ax.plot(grid[:, 0], mean, label="mean")
    ax.plot(grid[:, 0], 4 * np.sin(2 * grid[:, 0] + 0.5), "k--", lw=1, label="truth")
    ax.plot(few[:, 0], values, "k.")
    ax.set(title=name, xlabel="x")
axes[0].legend()

plt.show()
