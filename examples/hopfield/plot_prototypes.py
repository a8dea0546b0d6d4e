"""
What does a class look like to a dense memory?
==============================================

:class:`~skdyn.DenseHebbianClassifier` needs no gradients: it sums up what it is shown, in powers,
and the sums are prototypes of the classes. They are pictures of digits, here of six of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from skdyn import DenseHebbianClassifier

X, y = load_digits(n_class=6, return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
model = DenseHebbianClassifier(binarize=8.0).fit(X_train, y_train)
print(f"prototypes    {model.score(X_test, y_test):.3f}")
neighbors = KNeighborsClassifier().fit(X_train, y_train)
print(f"all neighbors {neighbors.score(X_test, y_test):.3f}, {len(X_train)} images kept")
print(f"prototypes kept: {len(model.prototypes_)}")

# %%
# One prototype a class, dark where the digits are.

figure, axes = plt.subplots(1, 6, figsize=(9, 2), layout="constrained")
for ax, prototype, weights in zip(axes, model.prototypes_, model.class_weights_, strict=False):
    ax.imshow(prototype.reshape(8, 8), cmap="gray_r")
    ax.set(title=str(model.classes_[np.argmax(weights)]), xticks=[], yticks=[])
plt.show()
