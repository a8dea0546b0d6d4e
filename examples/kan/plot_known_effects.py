"""
What is known beforehand
========================

Rents rise with the area of a flat and fall with its distance from the center. In a few rows with
noise a free model need not see that; one that is told so keeps to it, also beyond the data.
Districts are categories, and the year of construction is unknown for every third flat: neither
needs any preparation.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skdyn import KANRegressor
from skdyn.inspection import EdgeDisplay

rng = np.random.default_rng(2)
n = 1080
flats = pd.DataFrame({"area": rng.uniform(25, 120, n), "distance": rng.uniform(0, 12, n)})
flats["year"] = rng.uniform(1900, 2020, n)
flats["district"] = rng.choice(["north", "south", "east", "west"], n)
rent = 6 * flats["area"] + 500 * np.exp(-flats["distance"] / 3)
rent += 0.03 * (flats["year"] - 1960) ** 2 + 90 * (flats["district"] == "west")
rent += 150 * rng.normal(size=n)
flats["year"] = flats["year"].mask(rng.random(n) < 1 / 3)
new, new_rent, flats, rent = flats[80:], rent[80:], flats[:80], rent[:80]

# %%
# Two additive models, one of which is told what is known
# -------------------------------------------------------
free = KANRegressor(interaction_cst="no_interactions", random_state=0).fit(flats, rent)
told = KANRegressor(
    interaction_cst="no_interactions", monotonic_cst={"area": 1, "distance": -1}, random_state=0
).fit(flats, rent)
for name, model in (("free", free), ("told", told)):
    print(f"{name}: R2 of new flats {model.score(new, new_rent):.3f}")

# %%
# The slopes of their predictions are exact. Of the distance, none of the second model's rises:
for name, model in (("free", free), ("told", told)):
    slopes = model.predict_gradient(flats)
    print(f"{name}: slopes by distance from {slopes[:, 1].min():.0f} to {slopes[:, 1].max():.1f}")

# %%
# Edges, as they were learned
# ---------------------------
# A column of numbers has a curve, a column of categories a value for each of its levels.
fig, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for ax, column in zip(axes, (1, 2, 3), strict=True):
    EdgeDisplay.from_estimator(told, 0, column, 0, X=flats, ax=ax)
plt.show()
