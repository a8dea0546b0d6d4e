"""
Which instances make a bag positive?
====================================

Handwritten digits come in bags of five to twelve, and all that is known of a bag is whether there
is a seven in it. A classifier of bags learns from that to tell bags apart. Does it also know which
of the images are the sevens, which nobody told it?
"""

# %%
# Bags from single images. No image is in two bags.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from skdyn import HopfieldPoolingClassifier
from skdyn.inspection import InstanceWeightsDisplay

digits = load_digits()
rng = np.random.default_rng(0)
sevens = iter(rng.permutation(np.flatnonzero(digits.target == 7)))
others = iter(rng.permutation(np.flatnonzero(digits.target != 7)))
X, y, is_seven = [], [], []
for number in range(160):
    n_sevens = rng.integers(1, 3) if number % 2 else 0
    n_others = rng.integers(5, 13) - n_sevens
    images = [next(sevens) for _ in range(n_sevens)] + [next(others) for _ in range(n_others)]
    images = rng.permutation(images)
    X.append(digits.data[images])
    y.append("with a seven" if n_sevens else "none")
    is_seven.append(digits.target[images] == 7)

# %%
# Learn from 100 bags, and answer for 60. With a trained embedding an answer rests on nothing but
# weighted means of what the instances are embedded as.

model = HopfieldPoolingClassifier(embedding="trained", random_state=0).fit(X[:100], y[:100])
seven = list(model.classes_).index("with a seven")
probability = model.predict_proba(X[100:])[:, seven]
has_one = np.array(y[100:]) == "with a seven"
print(f"accuracy {model.score(X[100:], y[100:]):.2f}")
print(f"area under the curve {roc_auc_score(has_one, probability):.3f}")

# %%
# The weights say on which instances an answer rests; red bars are sevens. In a bag without a seven
# they add up to one all the same: something must be looked at before it can be ruled out.

shown = [101, 103, 105, 107, 100, 102]
InstanceWeightsDisplay.from_estimator(model, X, bags=shown, marked=is_seven)
plt.show()

# %%
# The same bags as images, darker where the weight is larger, sevens framed.

weights = model.instance_weights(X)
width = max(len(X[number]) for number in shown)
figure, axes = plt.subplots(len(shown), width, figsize=(8, 4.5), layout="constrained")
for row, number in zip(axes, shown):
    for ax in row:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    row[0].set_ylabel(number)
    for ax, image, weight, marked in zip(row, X[number], weights[number], is_seven[number]):
        visible = 0.15 + 0.85 * weight / weights[number].max()
        ax.imshow(image.reshape(8, 8), cmap="gray_r", alpha=visible)
        if marked:
            ax.spines[:].set(visible=True, color="tab:red", linewidth=2)
plt.show()

# %%
# Over all test bags with a seven: is the image of the largest weight one?

positive = [number for number in range(100, 160) if is_seven[number].any()]
hits = [is_seven[number][weights[number].argmax()] for number in positive]
chance = [is_seven[number].mean() for number in positive]
print(f"a seven has the largest weight in {np.mean(hits):.0%} of {len(positive)} bags")
print(f"by chance it would in {np.mean(chance):.0%}")

# %%
# Weights say where the network looks, within a bag. What it sees there, ``instance_scores`` say:
# for each image as a bag of its own, the log-odds of the second class, "with a seven". They can be
# compared from bag to bag, so that all test images can be put in one order.

scores = np.concatenate(model.instance_scores(X[100:]))
shown_weights = np.concatenate(weights[100:])
truth = np.concatenate(is_seven[100:])
print(f"area under the curve by scores {roc_auc_score(truth, scores):.3f}, "
      f"by weights {roc_auc_score(truth, shown_weights):.3f}")  # fmt: skip

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
bins = np.linspace(scores.min(), scores.max(), 30)
ax.hist([scores[~truth], scores[truth]], bins, stacked=True, label=["other digits", "sevens"])
ax.set(xlabel="score of the image (log-odds of a seven)", ylabel="images")
ax.legend()
plt.show()
