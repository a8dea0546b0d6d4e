"""
Which training cases decided
============================

A memory answers with the mean of what belongs to the rows it stores. So it can say which of them an
answer rests on, by weights that add up: here for digits, the doubtful ones above all.
"""

# %%
# A thousand digits are stored, and others are asked. What is told most hesitantly comes first.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, load_digits

from skdyn import HopfieldClassifier, HopfieldRegressor
from skdyn.inspection import CasesDisplay

digits, target = load_digits(return_X_y=True)
X, y, X_new, y_new = digits[:1000], target[:1000], digits[1000:], target[1000:]
model = HopfieldClassifier("stored").fit(X, y)
probabilities = model.predict_proba(X_new)
doubtful = probabilities.max(axis=1).argsort()[:3]
print(f"accuracy {model.score(X_new, y_new):.3f}")

# %%
# ``explain`` has a line for each case: its row in the training data, its weight, its class, and
# what it adds to the probability of the class that is predicted. The other cases have one line, and
# so has the share of the class frequencies that is mixed in, without which no class would ever be
# impossible.

table = model.explain(X_new[doubtful[:1]], n_cases=4)
print(table.round(3).to_string())
sums = table[["weight", "contribution"]].sum()
print(f"sum of the weights {sums['weight']:.3f}, of the contributions {sums['contribution']:.3f}")
print(f"probability {probabilities[doubtful[0]].max():.3f}")

# %%
# The digit that was asked, and the images that it was taken for.

figure, axes = plt.subplots(3, 7, figsize=(9, 4.2), layout="constrained")
for row, query in zip(axes, doubtful):
    cases = model.explain(X_new[[query]], n_cases=6).query("kind == 'case'")
    shown = [(X_new[query], f"asked: a {y_new[query]}")]
    for case, weight in zip(cases["case"], cases["weight"]):
        shown.append((X[case], f"a {y[case]}, {weight:.0%}"))
    for ax, (image, title) in zip(row, shown):
        ax.imshow(image.reshape(8, 8), cmap="gray_r")
        ax.set_title(title, fontsize=9)
        ax.set(xticks=[], yticks=[])
plt.show()

# %%
# One answer as a display. Two cases of different classes side by side are a reason to look twice.

display = CasesDisplay.from_estimator(model, X_new, query=int(doubtful[0]), n_cases=8)
display.ax_.set_title(f"a {y_new[doubtful[0]]}, taken for a {probabilities[doubtful[0]].argmax()}")
plt.show()

# %%
# A regressor's contributions add up to its prediction. With the frame that was passed to ``fit``,
# cases have the names of its index.

patients, progression = load_diabetes(as_frame=True, return_X_y=True)
patients.index = [f"patient {number}" for number in range(len(patients))]
regressor = HopfieldRegressor("stored", separation="topk").fit(patients[:400], progression[:400])
table = regressor.explain(patients[400:401], n_cases=10, cases=patients)
print(table.round(2).to_string())
assert np.isclose(table["contribution"].sum(), regressor.predict(patients[400:401])[0])

figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.barh(
    table["case"].astype(str).where(table["kind"] == "case", table["kind"]), table["contribution"]
)
ax.set(xlabel="contribution to the predicted progression")
ax.invert_yaxis()
plt.show()
