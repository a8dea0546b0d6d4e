"""
Can the learned flow be made cheaper to solve?
==============================================

A classifier whose hidden layers are an ODE costs as many evaluations of its field as its solver
needs. Nothing in the usual loss keeps that number low. The solver's own estimates of its error and
of the stiffness do, when they are made part of the loss.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split

from skdyn import NeuralODEClassifier

X, y = make_circles(600, factor=0.6, noise=0.08, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# The same network three times, at a tight tolerance. ``regularization_weight="auto"`` weighs an
# error of the size of the tolerance like a loss of one.

settings = {"learning_rate": 0.02, "max_iter": 100, "tol": 0, "rtol": 1e-5, "atol": 1e-6}
models = {}
for penalty in (None, "error", "stiffness"):
    model = NeuralODEClassifier(regularization=penalty, random_state=0, **settings)
    models[penalty] = model.fit(X_train, y_train)
    cost = model.solver_statistics(X_test).n_fev
    print(f"{penalty}: accuracy {model.score(X_test, y_test):.3f}, {cost} evaluations")

# %%
# The surfaces they learned, and what an answer costs. All are right about as often.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained", sharex=True, sharey=True)
grid = np.stack(np.meshgrid(*[np.linspace(-1.5, 1.5, 80)] * 2), axis=-1)
for ax, (penalty, model) in zip(axes, models.items(), strict=True):
    proba = model.predict_proba(grid.reshape(-1, 2))[:, 1].reshape(80, 80)
    ax.contourf(grid[..., 0], grid[..., 1], proba, levels=20, cmap="RdBu", alpha=0.6)
    ax.scatter(*X_test.T, c=y_test, cmap="RdBu", s=8, edgecolor="k", linewidth=0.2)
    n_fev = model.solver_statistics(X_test).n_fev
    ax.set(title=f"penalty on {penalty or 'nothing'}: {n_fev} evaluations", aspect="equal")

plt.show()
