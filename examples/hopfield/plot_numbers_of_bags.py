"""
Can a number be learned from bags?
==================================

Some bags hold rows of a kind that counts, among others that do not; the number of a bag is the mean
of what its counting rows say. :class:`~skdyn.HopfieldPoolingRegressor` answers bags as they are,
and :class:`~skdyn.BagTransformer` scales their rows before it. A forest gets statistics of each
bag.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn import BagTransformer, HopfieldPoolingRegressor

rng = np.random.default_rng(0)
X, y = [], []
for _ in range(160):
    rows = rng.normal(size=(rng.integers(5, 16), 4))
    counts = rng.random(len(rows)) < 0.4
    counts[0] = True
    rows[counts, 0] += 4  # what makes a row count
    X.append(rows)
    y.append(rows[counts, 1].mean())
y = np.array(y)

# %%
# A trained embedding finds which rows count; statistics of a bag mix them with the others.


def statistics(bags):
    """Return least, mean and largest value of each feature over each bag."""
    return np.array([np.r_[bag.min(axis=0), bag.mean(axis=0), bag.max(axis=0)] for bag in bags])


models = {
    "pooling, trained": make_pipeline(
        BagTransformer(), HopfieldPoolingRegressor(embedding="trained", random_state=0)
    ),
    "forest on statistics": make_pipeline(
        FunctionTransformer(statistics), RandomForestRegressor(random_state=0)
    ),
}
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained", sharey=True)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    answers = model.fit(X[:110], y[:110]).predict(X[110:])
    r2 = 1 - np.mean((answers - y[110:]) ** 2) / np.var(y[110:])
    ax.scatter(y[110:], answers, s=12)
    ax.axline((0, 0), slope=1, color="0.6", linewidth=1)
    ax.set(title=f"{name}: R2 {r2:.2f}", xlabel="number of the bag")
    print(f"{name:22} R2 {r2:.3f}")
axes[0].set_ylabel("answer")
plt.show()
