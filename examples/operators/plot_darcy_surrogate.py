"""
A surrogate of a Darcy solver, tuned by grid search
===================================================

Water seeps through a medium. From its permeability, a field, follows the pressure, another field,
by an elliptic equation. A regressor that has seen pairs of them answers in milliseconds. Fields are
arrays ``(n_samples, n_channels, *grid)``, so that scikit-learn's tools work on them as they are.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn import FNORegressor
from skdyn.datasets import make_darcy
from skdyn.inspection import FieldDisplay
from skdyn.metrics import neg_relative_l2, relative_l2_error

X, y = make_darcy(220, 16, kind="smooth", random_state=0)
X, X_new, y, y_new = train_test_split(X, y, test_size=20, random_state=0)
print("permeabilities and pressures:", X.shape, y.shape)

# %%
# The permeability is positive and varies over orders of magnitude: its logarithm is the better
# input. A pipeline remembers that, and a search finds out how many frequencies to keep.

surrogate = make_pipeline(
    FunctionTransformer(np.log),
    FNORegressor(hidden_channels=16, n_layers=3, max_iter=15, learning_rate=0.01, random_state=0),
)
search = GridSearchCV(
    surrogate, {"fnoregressor__n_modes": [2, 4, 8]}, scoring=neg_relative_l2, cv=2
).fit(X, y)
for modes, score in zip((2, 4, 8), search.cv_results_["mean_test_score"], strict=True):
    print(f"{modes} frequencies along each axis: relative error {-score:.3f}")

# %%
# The best of them was fitted anew on all training fields. On fields it has never seen:

predicted = search.predict(X_new)
print(f"relative error on new fields: {relative_l2_error(y_new, predicted):.3f}")
FieldDisplay.from_predictions(y_new, predicted, case=3)

# %%
# An input on another grid is answered there: the model interpolates to the grid it was trained on,
# and back.

fine, _ = make_darcy(1, 48, kind="smooth", random_state=1)
pressure = search.predict(fine)
plt.figure(figsize=(3.2, 2.8), layout="constrained")
plt.imshow(pressure[0, 0].T, origin="lower")
plt.title("predicted on 48 x 48 points")
plt.show()
