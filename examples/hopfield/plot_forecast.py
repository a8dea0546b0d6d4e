"""
Which past decides a forecast?
==============================

Lorenz looked for analogues of the weather in old maps: what followed then may follow now.
:class:`~skdyn.HopfieldForecaster` does so for any series, and tells which moments it was reminded
of. We forecast two records: a wave with seasons that grows, in months, and Lorenz' own equations.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skdyn import HopfieldForecaster
from skdyn.datasets import make_lorenz63

rng = np.random.default_rng(0)
months = pd.date_range("2008-01", periods=180, freq="MS")
t = np.arange(180)
sales = 20 + 0.1 * t + 4 * np.sin(2 * np.pi * t / 12) ** 3 + 0.5 * rng.normal(size=180)
sales = pd.DataFrame({"sales": sales}, index=months)
known, later = sales[:156], sales[156:]

# %%
# How long a window, and whether its level comes off first, is chosen by forecasts from months that
# were held out. The forecast goes on with the dates of the frame; its errors to expect are those
# of the held-out months.

model = HopfieldForecaster(horizon=24).fit(known)
forecast, std = model.predict(return_std=True)
print(f"windows of {model.window_}, level: {model.level_}, linear part: {model.linear_}")
season = pd.DataFrame(np.tile(known[-12:], (2, 1)), index=later.index, columns=["sales"])
for name, guess in {"forecast": forecast, "last year's months": season}.items():
    print(f"error of {name}: {np.sqrt(((guess - later) ** 2).to_numpy().mean()):.2f}")

figure, ax = plt.subplots(figsize=(8, 3.2), constrained_layout=True)
ax.plot(known[-60:], color="black", label="known")
ax.plot(later, ":", color="black", label="what came")
ax.plot(forecast, label="forecast")
low, high = (forecast + sign * 2 * std for sign in (-1, 1))
ax.fill_between(forecast.index, low["sales"], high["sales"], alpha=0.2)
ax.legend()

# %%
# In chaos no season returns, but the state comes near to where it was before. ``explain`` tells
# when, and how much each of those moments counts; weights and contributions add up.

states = make_lorenz63(n_cases=1, n_timepoints=1500, random_state=0)[0][0].T
model = HopfieldForecaster(horizon=12, linear=False).fit(states[:1300])
table = model.explain(states[:1400], n_cases=4, step=12)
print(table[["case", "kind", "weight", "target_0", "contribution_0"]].round(2))

figure, ax = plt.subplots(figsize=(8, 3.2), constrained_layout=True)
steps = np.arange(-15, 13)
for rank, case in enumerate(table["case"][table["kind"] == "case"].astype(int)):
    past = states[np.clip(case + steps, 0, 1299), 0]
    ax.plot(steps, past, color="gray", alpha=0.7, label="past moments" if rank == 0 else None)
ax.plot(steps, states[1399 + steps, 0], ":", color="black", label="what came")
ax.plot(np.arange(1, 13), model.predict(states[:1400])[:, 0], label="forecast")
ax.set(xlabel="steps from now", ylabel="x")
ax.legend()
plt.show()
