"""
How many codes does an image need?
==================================

A :class:`~skdyn.CodebookTransformer` writes every row as a sum of ``k`` codes out of a codebook. A
code is used or not, there are no amounts. With ``k=1`` this is k-means; how much better are images
restored from several codes?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdyn import CodebookTransformer

X_train, X_test = train_test_split(load_digits().data, random_state=0)
counts = [1, 2, 4, 8]
models = {
    k: CodebookTransformer(128, k=k, max_iter=40, random_state=0).fit(X_train) for k in counts
}
scores = [models[k].score(X_test) for k in counts]

# k-means with as many clusters, scored in the same way: the share of variance it explains.
means = KMeans(128, n_init=1, random_state=0).fit(X_train)
nearest = means.cluster_centers_[means.predict(X_test)]
baseline = 1 - np.sum((X_test - nearest) ** 2) / np.sum((X_test - X_test.mean(axis=0)) ** 2)
print(f"k-means {baseline:.3f}", dict(zip(counts, np.round(scores, 3).tolist(), strict=True)))

# %%
# Test images, and what 1, 2, 4 and 8 of the 128 codes make of them.

figure = plt.figure(figsize=(9, 3.6), layout="constrained")
left, right = figure.subfigures(1, 2)
ax = left.subplots()
ax.plot(counts, scores, "o-", label="codebook")
ax.axhline(baseline, color="0.5", linestyle=":", label="k-means")
ax.set(xlabel="codes per image", ylabel="R2 on test images", xticks=counts)
ax.legend()
restored = [models[k].inverse_transform(models[k].transform(X_test[:6])) for k in counts]
rows = [X_test[:6], *restored]
for name, images, line in zip(["image", *counts], rows, right.subplots(5, 6), strict=True):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(str(name))
plt.show()
