"""
Restore digits of which half is hidden
======================================

Of an image, half the pixels are gone. If the image was seen before, a memory brings it back; if it
was not, what is known of other images still says much about the gaps. Both compare with stored
images by the pixels that are left, and by these alone.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.impute import KNNImputer, SimpleImputer

from skdyn import HopfieldImputer, HopfieldMemory
from skdyn.inspection import RetrievalDisplay

images = load_digits().data[:1000]
some = np.arange(0, 1000, 85)

# %%
# **Seen before.** A memory stores 1000 images and is shown their upper halves. Where a query is
# NaN, it is not compared.

memory = HopfieldMemory().fit(images)
halves = images.copy()
halves[:, 32:] = np.nan


def restored(queries):
    """Share of images that come back with every gray level right."""
    return np.mean(np.abs(memory.retrieve(queries) - images).max(axis=1) < 0.5)


print(f"restored from the upper half: {restored(halves):.1%}")
print(f"with the lower half black instead of unknown: {restored(np.nan_to_num(halves)):.1%}")
RetrievalDisplay.from_estimator(memory, halves[some], stored=images[some], steps=())

# %%
# The few that are missed have a twin with nearly the same upper half.
#
# **Never seen.** Now every image has lost half of its pixels, here and there, so that not one is
# whole. An imputer recalls each gap from the images that have this pixel, and may correct what it
# recalls by regression; how much of either is chosen on pixels that it hides from itself.

rng = np.random.default_rng(0)
holes = rng.random(images.shape) < 0.5
spoilt = np.where(holes, np.nan, images)
imputers = {
    "Hopfield": HopfieldImputer(),
    "5 nearest": KNNImputer(),
    "mean": SimpleImputer(),
}
filled = {
    name: imputer.set_params(keep_empty_features=True).fit_transform(spoilt)
    for name, imputer in imputers.items()
}
errors = {name: np.sqrt(np.mean((values - images)[holes] ** 2)) for name, values in filled.items()}
print(pd.Series(errors, name="root mean square error, gray levels of 16").round(2).to_string())

# %%
# It chose an inverse temperature at which few images are recalled, and a weak correction.

print(f"beta = {imputers['Hopfield'].beta_:g}, alpha = {imputers['Hopfield'].alpha_:g}")
rows = {"true": images, "shown": spoilt, **filled}
pictures = {name: row[some].reshape(-1, 8, 8).clip(0, 16) for name, row in rows.items()}
RetrievalDisplay(pictures).plot()
plt.show()
