"""
How fast does it decay?
=======================

Noisy curves that fall to zero, each measured at 8 to 25 times of its own: how fast does a curve
fall? :class:`~skdyn.SSMRegressor` and :class:`~skdyn.NeuralCDERegressor` learn from values and
times; ridge on signatures needs no training. A classifier, :class:`~skdyn.NeuralCDEClassifier`,
tells fast from slow.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import NeuralCDEClassifier, NeuralCDERegressor, SignatureTransformer, SSMRegressor

rng = np.random.default_rng(0)
rate = rng.uniform(0.2, 2.0, 240)
t = [np.sort(rng.uniform(0, 4, rng.integers(8, 26))) for _ in rate]
X = [
    (np.exp(-r * times) + 0.03 * rng.normal(size=len(times)))[None]
    for r, times in zip(rate, t, strict=True)
]
train, test = slice(160), slice(160, None)

# %%
# All are told the times by ``t=``.

models = {
    "SSM": SSMRegressor(n_layers=1, hidden_channels=32, random_state=0),
    "neural CDE": NeuralCDERegressor(random_state=0),
}
answers = {
    name: model.fit(X[train], rate[train], t=t[train]).predict(X[test], t=t[test])
    for name, model in models.items()
}
signatures = SignatureTransformer(depth=4)
ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-6, 3, 10)))
ridge.fit(signatures.fit_transform(X[train], t=t[train]), rate[train])
answers["signatures, ridge"] = ridge.predict(signatures.transform(X[test], t=t[test]))

fast = np.where(rate > 1, "fast", "slow")
classifier = NeuralCDEClassifier(random_state=0).fit(X[train], fast[train], t=t[train])
print(f"fast or slow: {classifier.score(X[test], fast[test], t=t[test]):.3f}")

figure, axes = plt.subplots(1, 3, figsize=(10, 3.5), layout="constrained", sharey=True)
for ax, (name, answer) in zip(axes, answers.items(), strict=True):
    r2 = 1 - np.mean((answer - rate[test]) ** 2) / np.var(rate[test])
    ax.scatter(rate[test], answer, s=10)
    ax.axline((1, 1), slope=1, color="0.6", linewidth=1)
    ax.set(title=f"{name}: R2 {r2:.3f}", xlabel="true rate")
    print(f"{name:18} R2 {r2:.3f}")
axes[0].set_ylabel("answer")
plt.show()
