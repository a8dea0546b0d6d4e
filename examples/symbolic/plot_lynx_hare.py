"""
Which equations are in the fur trade's record?
==============================================

From 1900 to 1920 the Hudson's Bay Company counted the pelts of hares and lynxes that it bought, and
every textbook tells that record with the equations of Lotka and Volterra: hares breed and are
eaten, lynxes eat and starve. Would anyone find them who does not know them? We have 21 numbers of
each animal, and no idea how well pelts count animals.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skdyn import MIOSR, EnsembleOptimizer, SINDyRegressor, SymbolicODERegressor, WeakForm
from skdyn.datasets import load_lynx_hare
from skdyn.inspection import ParetoDisplay, PhasePortraitDisplay

pd.set_option("display.width", 120, "display.max_columns", 10)
record = load_lynx_hare()
X, t = record.frame, record.t

# %%
# Ask first for little: of the six terms up to the second degree, which two make the best equation?
# ``MIOSR`` tries all pairs. Two hundred models, each on rows drawn anew, tell how far that hangs on
# single years; the *weak form* needs no derivatives, which 21 noisy points do not have.

optimizer = EnsembleOptimizer(MIOSR(n_terms=2), n_models=200, random_state=0)
pairs = SINDyRegressor(differentiation_method=WeakForm(), sparse_optimizer=optimizer).fit(X, t=t)
pairs.print(precision=2)
print(pairs.coefficients().round(3).to_string(index=False))

# %%
# These are Lotka's and Volterra's terms, with the right signs, out of 15 pairs for each animal; and
# nearly all of the models agree. But who said two terms? :class:`~skdyn.SymbolicODERegressor` does
# not have to be told. It searches far more kinds of terms, and pays for each with the information
# that it takes to state it. It also says where the data do not settle the answer, as they do not
# here:

with warnings.catch_warnings(record=True) as doubts:
    warnings.simplefilter("always")
    free = SymbolicODERegressor().fit(X, t=t)
for doubt in doubts:
    print(doubt.message)
free.print()
print(free.coefficients().round(3).to_string(index=False))
ParetoDisplay.from_estimator(free, n_equations=3)

# %%
# The front shows what more complicated equations buy. With so short a record the choice among them
# is not safe: neighbors on the front differ by little, and the standard errors take the terms for
# granted. Here knowledge has to help. Say that animals act alone or meet in pairs (polynomials of
# degree two), and that we want the two most important effects for each.

model = SymbolicODERegressor(families="polynomial", degree=2, max_terms=2)
with warnings.catch_warnings(action="ignore"):  # of 21 points, the same doubt
    model.fit(X, t=t)
model.print(precision=2)
print(model.coefficients().round(3).to_string(index=False))

# %%
# Do these equations live through the twenty years? Their constants were fitted to the record as a
# whole, but a solution has nothing to hold on to but its first state.

figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
fine = np.linspace(t[0], t[-1], 400)
solution = model.simulate(X.iloc[0], fine)
for name, observed, followed, color in zip(X, X.to_numpy().T, solution.T, ("tab:blue", "tab:red")):
    axes[0].plot(t, observed, "o", ms=4, color=color)
    axes[0].plot(fine, followed, color=color, label=name)
axes[0].set(xlabel="year", ylabel="thousands of pelts", xticks=range(1900, 1921, 5))
axes[0].legend()
PhasePortraitDisplay.from_estimator(model, X, t=t, ax=axes[1])
print(f"R2 of the solution: {model.score(X, t=t):.2f}")

# %%
# Where hares and lynxes are in balance, the eigenvalues are imaginary: populations circle around
# it, neither nearer nor farther, and near it a round takes as long as the record suggests.

for point, eigenvalues, kind in model.fixed_points():
    hare, lynx = point
    print(f"{kind} at {hare:.0f} thousand hares, {lynx:.0f} thousand lynxes:", eigenvalues.round(2))
    if kind == "center":
        print(f"A small cycle takes {2 * np.pi / abs(eigenvalues[0].imag):.1f} years.")

# %%
# So the answer is: the record holds the law, for those who ask for a simple one. It does not hold
# enough to rule out more complicated ones. And closed circles are an assumption that came with the
# terms: nothing in two cycles can tell them from cycles that slowly grow or die.

plt.show()
