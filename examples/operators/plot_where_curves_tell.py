"""
Where does a curve tell the answer?
===================================

A number depends on one stretch of a curve, and a class on another. :class:`~skdyn.AdaFNNRegressor`
and :class:`~skdyn.AdaFNNClassifier` learn functions that a curve is integrated with: where they are
far from zero, the curve matters.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdyn import AdaFNNClassifier, AdaFNNRegressor
from skdyn.datasets import make_gaussian_random_field

X = make_gaussian_random_field(400, 64, random_state=0)
x = np.linspace(0, 1, 64)
number = X[:, (x > 0.1) & (x < 0.3)].mean(axis=1)
label = np.where(X[:, (x > 0.6) & (x < 0.9)].mean(axis=1) > 0, "above", "below")

# %%
# With a price on their size, functions vanish where they can.

settings = {"n_basis": 1, "sparsity": 0.05, "max_iter": 80, "random_state": 0}
regressor = AdaFNNRegressor(**settings).fit(X[:300], number[:300])
classifier = AdaFNNClassifier(**settings).fit(X[:300], label[:300])
print(f"R2 {regressor.score(X[300:], number[300:]):.3f}")
print(f"accuracy {classifier.score(X[300:], label[300:]):.3f}")

# %%
# The stretches that the answers depend on are gray. Nobody told them to the models.

figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharex=True)
for ax, model, (begin, end), title in zip(
    axes,
    [regressor, classifier],
    [(0.1, 0.3), (0.6, 0.9)],
    ["the number", "the class"],
    strict=True,
):
    ax.axvspan(begin, end, color="0.9")
    ax.plot(x, np.abs(model.basis_functions()).reshape(-1, 64).T)
    ax.set(title=title, xlabel="x", ylabel="size of the learned function", ylim=(0, None))
plt.show()
