"""
How sure is the curve, and where is it only a guess?
====================================================

Sixty noisy measurements of a decay with a bump, and none in the middle. A prediction without an
error bar looks the same in the gap as elsewhere. ``predict(X, return_std=True)`` tells them apart;
``sample_y`` draws other curves that the data allow.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdyn import KANRegressor


def truth(x):
    """Decay, with a bump."""
    return np.exp(-x) + 0.5 * np.exp(-((x - 3.2) ** 2) / 0.1)


rng = np.random.default_rng(0)
X = np.concatenate([rng.uniform(0, 1.4, 30), rng.uniform(2.4, 4, 30)])[:, None]
y = truth(X[:, 0]) + 0.04 * rng.normal(size=60)

model = KANRegressor((), optimizer="lm", grid_sizes=12, max_iter=60, random_state=0).fit(X, y)

# %%
# The network separates the two reasons to be unsure. ``noise_`` is the scatter around the curve,
# which more measurements at the same place cannot mend; the true value is 0.04.

print(f"noise: {model.noise_[0]:.3f}")

# %%
# What is left of the standard deviation is doubt about the curve: little where there are data, much
# in the gap and beyond the ends.

x = np.linspace(-0.4, 4.6, 300)[:, None]
mean, std = model.predict(x, return_std=True)
for place in (0.7, 1.9, 3.2, 4.6):
    _, here = model.predict([[place]], return_std=True)
    doubt = np.sqrt(here[0] ** 2 - model.noise_[0] ** 2)
    print(f"at {place}: doubt about the curve {doubt:.3f}")

# %%
# New measurements show whether the intervals hold what they say.

X_new = np.concatenate([rng.uniform(0, 1.4, 500), rng.uniform(2.4, 4, 500)])[:, None]
y_new = truth(X_new[:, 0]) + 0.04 * rng.normal(size=1000)
mean_new, std_new = model.predict(X_new, return_std=True)
share = np.mean(np.abs(y_new - mean_new) < 1.96 * std_new)
print(f"{share:.1%} of new measurements are inside their 95 % intervals")

figure, axes = plt.subplots(figsize=(7, 4), constrained_layout=True)
axes.fill_between(x[:, 0], mean - 1.96 * std, mean + 1.96 * std, alpha=0.2, label="95 % interval")
axes.plot(x, mean, label="prediction")
axes.plot(x, truth(x[:, 0]), "k:", label="truth")
axes.plot(X, y, "k.", markersize=4, label="data")
axes.set(
    xlabel="x", ylabel="y", ylim=(-0.8, 2), title="Sure where there are data, unsure elsewhere"
)
axes.legend(ncols=2)
plt.show()
