"""
What does a layer make of the one before?
=========================================

A network reads handwritten digits through two hidden layers. A :class:`~skdyn.Transcoder` writes
the second layer as a sum of few features, each of which is read off the first: it stands in for the
step between them. A :class:`~skdyn.Crosscoder` looks at both layers at once and tells which
features they share.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skdyn import Crosscoder, Transcoder

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
network = MLPClassifier((32, 24), solver="lbfgs", alpha=1.0, tol=1e-3, max_iter=900, random_state=0)
network.fit(X_train, y_train)


def layers(X):
    """Return what both hidden layers compute."""
    first = np.maximum(X @ network.coefs_[0] + network.intercepts_[0], 0)
    return first, np.maximum(first @ network.coefs_[1] + network.intercepts_[1], 0)


(first, second), (first_test, second_test) = layers(X_train), layers(X_test)

# %%
# How many features does the step take?
# -------------------------------------
# Two in a row leave less over than least squares with all 32 units, and beside a line
# (``skip=True``) one is enough.

counts = [1, 2, 4, 8]
ridge = Ridge(alpha=1e-3).fit(first, second).score(first_test, second_test)
scores = {
    skip: [
        Transcoder(48, k=k, skip=skip, max_iter=80, random_state=0)
        .fit(first, second)
        .score(first_test, second_test)
        for k in counts
    ]
    for skip in (False, True)
}

# %%
# Which features are in both layers?
# ----------------------------------
# Each feature has a part in either layer. A share of one half means both alike.

both = np.hstack([first, second])
coder = Crosscoder(48, sources=[32, 24], k=6, max_iter=80, random_state=0).fit(both)
norms = coder.source_norms_[coder.feature_density_ > 0]
share = norms[:, 1] / norms.sum(axis=1)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
axes[0].plot(counts, scores[False], "o-", label="features alone")
axes[0].plot(counts, scores[True], "s--", label="features and a line")
axes[0].axhline(ridge, color="0.5", linestyle=":", label="least squares")
axes[0].set(xlabel="features per row", ylabel="R2 on new digits", xticks=counts)
axes[0].legend()
axes[1].hist(share, bins=np.linspace(0, 1, 21))
axes[1].set(xlabel="share of a feature in the second layer", ylabel="features")
print(f"least squares {ridge:.3f}", {k: np.round(v, 3) for k, v in scores.items()})
plt.show()
