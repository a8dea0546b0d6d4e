"""
What does a table look like to a flow?
======================================

:class:`~skdyn.NeuralODERegressor` lets every row move along a learned field for a while, and
answers with a line through where it ends. Here 80 noisy rows of two columns become a surface; a
perceptron and a Gaussian process fit the same rows.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.neural_network import MLPRegressor

from skdyn import NeuralODERegressor

rng = np.random.default_rng(0)


def truth(X):
    """Return the surface without noise."""
    return np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1])


X = rng.uniform(-1, 1, (80, 2))
y = truth(X) + 0.1 * rng.normal(size=80)
side = np.linspace(-1, 1, 40)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

# %%
# All three are as they come, but for the kernel that a Gaussian process must be told.

kernel = RBF() + WhiteKernel()
models = {
    "neural ODE": NeuralODERegressor(random_state=0),
    "perceptron": MLPRegressor(
        hidden_layer_sizes=(64, 64), solver="lbfgs", max_iter=5000, random_state=0
    ),
    "Gaussian process": GaussianProcessRegressor(kernel, normalize_y=True),
}
figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained", sharey=True)
axes[0].contourf(side, side, truth(grid).reshape(40, 40), np.linspace(-1.2, 1.2, 13))
axes[0].set(title="truth", xlabel="first column", ylabel="second column")
axes[0].plot(*X.T, "k.", markersize=3)
for ax, (name, model) in zip(axes[1:], models.items(), strict=True):
    surface = model.fit(X, y).predict(grid)
    error = np.sqrt(np.mean((surface - truth(grid)) ** 2))
    ax.contourf(
        side, side, surface.reshape(40, 40), np.linspace(-1.2, 1.2, 13), extend="both"
    )  # fmt: skip
    ax.set(title=f"{name}: {error:.2f} off", xlabel="first column")
    print(f"{name:17} root mean squared error {error:.3f}")
plt.show()
