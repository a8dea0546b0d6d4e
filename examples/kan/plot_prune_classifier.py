"""
How much of a network does a diagnosis need?
============================================

Thirty measurements of cell nuclei tell benign from malignant tumours. A network that uses them all
is hard to argue with, in both senses. :class:`~skdyn.KANClassifier` can be pruned edge by edge: how
small may it become before it errs more often, and what does it go by?
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from skdyn import KANClassifier
from skdyn.inspection import EdgeDisplay, KANDisplay

data = load_breast_cancer(as_frame=True)
X, y = data.data, data.target_names[data.target]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=228, stratify=y, random_state=0)

# %%
# ``lamb`` is the price of an edge. With it most edges are faint already after training.

model = KANClassifier((2,), optimizer="adam", lamb=0.01, max_iter=400, random_state=0).fit(
    X_train, y_train
)
forest = RandomForestClassifier(random_state=0).fit(X_train, y_train)
KANDisplay.from_estimator(model)
print(f"Whole network: accuracy {model.score(X_test, y_test):.3f}")
print(f"Random forest: accuracy {forest.score(X_test, y_test):.3f}")

# %%
# Prune harder and harder. No training takes place in between: what an edge contributed on average
# stays behind in the bias. One row of the test set is 0.004, so that small steps mean little.

pruned = {}
for threshold in (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5):
    smaller = model.prune(edge_threshold=threshold)
    n_edges = sum((scores > 0).sum() for scores in smaller.edge_scores_)
    pruned[n_edges] = smaller
accuracy = pd.Series({n: smaller.score(X_test, y_test) for n, smaller in pruned.items()})
figure, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
ax.plot(accuracy, "o-", label="pruned")
ax.axhline(model.score(X_test, y_test), color="C0", ls=":", label="whole network")
ax.axhline(forest.score(X_test, y_test), color="0.6", ls="--", label="random forest")
ax.set(xlabel="edges left", ylabel="accuracy on the test set")
ax.legend()
print(accuracy.round(3).to_string())

# %%
# One of the smaller ones, with the features that it still looks at. Their contributions are added
# up, and the sum decides.

small = model.prune(edge_threshold=0.1)
KANDisplay.from_estimator(small)
importances = pd.Series(small.feature_importances_, X.columns).sort_values(ascending=False)
print(importances[importances > 0].round(2).to_string())

# %%
# What it makes of the three most important ones, in their own units, over the density of the
# training data. Where there are no data the curve is dashed, and no reason to believe it.

figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained", sharey=True)
for feature, ax in zip(importances.index[:3], axes):
    EdgeDisplay.from_estimator(small, 0, X.columns.get_loc(feature), 0, ax=ax)

plt.show()
