"""
What has a small network learned?
=================================

A network with one hidden layer tells handwritten digits apart. What its 32 hidden units stand for
is hard to say: about half of them respond to any image. :class:`~skdyn.SparseAutoencoder`
writes the same layer as a sum of three features out of 48, which can be looked at one by one.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skdyn import SparseAutoencoder
from skdyn.autoencoder import convergent_learning
from skdyn.inspection import DictionaryDisplay, FeatureDensityDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.3, stratify=y, random_state=0
)
network = MLPClassifier((32,), solver="lbfgs", alpha=1.0, tol=1e-3, max_iter=500, random_state=0)
network.fit(X_train, y_train)


def hidden(X):
    """Return the activations of the hidden layer."""
    return np.maximum(X @ network.coefs_[0] + network.intercepts_[0], 0)


H_train, H_test = hidden(X_train), hidden(X_test)
print(f"Accuracy {network.score(X_test, y_test):.3f}")
print(f"{(H_test > 0).sum(axis=1).mean():.0f} of {H_test.shape[1]} units are active in an image")

# %%
# A dictionary of the hidden layer
# --------------------------------
# Nothing about the digits is told to it. Three features an image leave little unexplained, in
# images that neither of the two has seen, and what they restore still tells the digits apart.


def fit(seed):
    """Learn a dictionary of the hidden layer."""
    model = SparseAutoencoder(
        48, k=3, allocation="topk", max_iter=80, learning_rate=0.01,
        random_state=seed,
    )  # fmt: skip
    return model.fit(H_train)


model = fit(0)
restored = model.inverse_transform(model.transform(H_test))
logits = restored @ network.coefs_[1] + network.intercepts_[1]
print(f"Variance explained {model.score(H_test):.3f}")
print(f"Accuracy from three features {(logits.argmax(axis=1) == y_test).mean():.3f}")
FeatureDensityDisplay.from_estimator(model)
print(model.feature_table(H_test, n_neighbors=1).nlargest(5, "density").round(2).to_string())

# %%
# What activates them
# -------------------
# The features that are used most, one per row, with the eight test images that activate each most.

features = np.argsort(-model.feature_density_)[:10]
images, activations = model.top_activating(features, H_test, n=8)
names = [str(feature) for feature in features]
beside = [name for first in names for name in [first, *7 * [""]]]
DictionaryDisplay(X_test[images.ravel()], beside, image_shape=(8, 8), n_columns=8).plot()

# %%
# What they look for, and what they are for
# -----------------------------------------
# Left: the mean of the images that use a feature, less the mean of all. Red is ink that belongs to
# it, blue ink that must not be there. Right: how much the feature speaks for each digit, or against
# it: its atom, sent through the output layer.

codes = model.transform(H_train)[:, features]
patterns = (codes / codes.sum(axis=0)).T @ X_train - X_train.mean(axis=0)
effects = model.components_[features] @ network.coefs_[1]
effects -= effects.mean(axis=1, keepdims=True)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
DictionaryDisplay(patterns, names, image_shape=(8, 8), n_columns=4).plot(ax=left)
DictionaryDisplay(effects, names, feature_names=list("0123456789")).plot(ax=right)
right.set(xlabel="digit", ylabel="feature")
right.tick_params(axis="x", rotation=0)

# %%
# Are they real?
# --------------
# Two more seeds, and the share of features that come back in both at a cosine of at least 0.7. What
# does not is one way among several to cut the same thing into pieces.

found = convergent_learning([model, fit(1), fit(2)]).loc[0, "found"] == 1
print(f"Found by all three seeds: {found.mean():.2f}")
print(f"Of the ten above: {found[features].mean():.2f}")

plt.show()
