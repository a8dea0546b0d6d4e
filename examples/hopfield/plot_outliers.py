"""
Outliers, known and unknown
===========================

A memory of ordinary rows has nothing that is like an outlier: its energy there is high. Where some
outliers are known, a second memory holds them, and the energies of both are compared.
"""

# %%
# Two moons, and a few points that were drawn anywhere. The detector stores all of them, and judges
# each by the others.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import CenteredNorm
from sklearn.datasets import load_digits, make_moons
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skdyn import HopfieldOutlierDetector

rng = np.random.default_rng(0)
moons, _ = make_moons(300, noise=0.07, random_state=0)
noise = rng.uniform([-2.0, -1.5], [3.0, 2.0], size=(20, 2))
X = np.vstack([moons, noise])
detector = HopfieldOutlierDetector().fit(X)
print(f"beta {detector.beta_:.1f}, chosen by the likelihood of each row given the others")
print(f"{(detector.predict(moons) == -1).sum()} of {len(moons)} points of the moons are outliers")
print(f"{(detector.predict(noise) == -1).sum()} of {len(noise)} others")

# %%
# Now a cloud at one end of a moon is labeled: whatever lies there is not wanted. Ten of its points
# are enough to move the border. With labels the question is another one: not whether a point is
# like what is stored, but which of the two it is like. On the far side of the moons everything is
# more like these, and no outlier any more; a detector without labels, asked too, would say it is.

cloud = rng.normal([-1.0, -0.1], 0.15, size=(60, 2))
rows, labels = np.vstack([moons, cloud[:10]]), np.r_[np.ones(len(moons)), -np.ones(10)]
unlabeled = HopfieldOutlierDetector().fit(moons)
labeled = HopfieldOutlierDetector().fit(rows, labels)
for name, model in {"without labels": unlabeled, "with ten": labeled}.items():
    found = (model.predict(cloud[10:]) == -1).mean()
    print(f"{name}: {found:.0%} of new points of the cloud are outliers")

across, up = np.meshgrid(np.linspace(-2, 3, 150), np.linspace(-1.5, 2, 120))
grid = np.column_stack([across.ravel(), up.ravel()])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
for ax, model, title in zip(axes, (unlabeled, labeled), ("no outliers known", "ten known")):
    decision = model.decision_function(grid).reshape(across.shape)
    limit = np.quantile(np.abs(decision), 0.6)
    ax.pcolormesh(
        across, up, decision, cmap="RdBu", norm=CenteredNorm(halfrange=limit), rasterized=True
    )
    ax.contour(across, up, decision, levels=[0], colors="k")
    ax.plot(*moons.T, ".", color="tab:blue", ms=3, label="stored")
    ax.plot(*cloud[10:].T, "x", color="tab:red", ms=4, label="new points of the cloud")
    ax.set(title=title, xlabel="first column")
axes[0].set_ylabel("second column")
axes[0].legend(loc="upper left")
plt.show()

# %%
# Digits of which no 8 was ever seen. Pixels share a unit, so they are left as they are
# (``standardize=False``): those that hardly vary say hardly anything.

digits, target = load_digits(return_X_y=True)
known = rng.permutation(np.flatnonzero(target != 8))
asked = np.r_[known[1000:], np.flatnonzero(target == 8)]
models = {
    "Hopfield": HopfieldOutlierDetector(standardize=False),
    "local outlier factor": LocalOutlierFactor(novelty=True),
    "isolation forest": IsolationForest(random_state=0),
}
scores = {
    name: model.fit(digits[known[:1000]]).score_samples(digits[asked])
    for name, model in models.items()
}
for name, score in scores.items():
    print(f"{name}: area under the curve {roc_auc_score(target[asked] != 8, score):.3f}")

# %%
# The most ordinary images, and those that are least like anything stored.

order = scores["Hopfield"].argsort()
figure, axes = plt.subplots(2, 12, figsize=(9, 1.9), layout="constrained")
for row, chosen, name in zip(axes, (order[::-1][:12], order[:12]), ("ordinary", "outliers")):
    for ax, number in zip(row, chosen):
        ax.imshow(digits[asked[number]].reshape(8, 8), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
plt.show()
