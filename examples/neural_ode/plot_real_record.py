"""
Does a neural ODE forecast a real record?
=========================================

Lynx pelts from the Mackenzie river, 1821 to 1934, rise and fall in some ten years, and chance moves
them as much as any law: no start explains the whole record. Such records are forecast by
autoregressions, and a model that cannot reach one has nothing to say. We give
:class:`~skdyn.NeuralODE` what the autoregression gets, and compare both with the mean.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdyn import NeuralODE

# C. Elton and M. Nicholson, "The ten-year cycle in numbers of the lynx in
# Canada", Journal of Animal Ecology 11, 1942.
PELTS = np.fromstring(
    """
    269 321 585 871 1475 2821 3928 5943 4950 2577 523 98 184 279 409 2285
    2685 3409 1824 409 151 45 68 213 546 1033 2129 2536 957 361 377 225 360
    731 1638 2725 2871 2119 684 299 236 245 552 1623 3311 6721 4254 687 255
    473 358 784 1594 1676 2251 1426 756 299 201 229 469 736 2042 2811 4431
    2511 389 73 39 49 59 188 377 1292 4031 3495 587 105 153 387 758 1307 3465
    6991 6313 3794 1836 345 382 808 1388 2713 3800 3091 2985 3790 674 81 80
    108 229 399 1132 2432 3574 2935 1537 529 485 662 1000 1590 2657 3396
    """,
    sep=" ",
)
years = 1821 + np.arange(len(PELTS))
x = np.log10(PELTS)
n_train, horizon = 85, 10


def past(values, p):
    """Rows of p successive values: the state that a forecast starts from."""
    return np.lib.stride_tricks.sliding_window_view(values, p)


# %%
# How many values of the past?
# ----------------------------
#
# Akaike's criterion weighs the errors of one step against the number of coefficients.


def autoregression(values, p):
    """Coefficients of the next value, oldest first, and the constant."""
    rows = past(values, p)[:-1]
    rows = np.column_stack([rows, np.ones(len(rows))])
    found = np.linalg.lstsq(rows, values[p:], rcond=None)[0]
    return found, np.mean((values[p:] - rows @ found) ** 2)


train, longest = x[:n_train], 12
aic = {}
for p in range(1, longest + 1):
    _, error = autoregression(train[longest - p :], p)
    aic[p] = (n_train - longest) * np.log(error) + 2 * (p + 1)
p = min(aic, key=aic.get)
print(f"{p} years of the past")

# %%
# Two models and the mean
# -----------------------
#
# A state is ``p`` successive years. The smoothing finds noise, and a linear step forecasts better
# than smooth curves do: the fit corrects the line of that step, as far as the last quarter of the
# training years says that it helps. In so short a record nothing is told from chance, and the line
# stays.

model = NeuralODE(random_state=0).fit(past(train, p))
print(f"trained on {model.stages_[-1][0]}, penalty {model.alpha_:g}")

starts = past(x, p)[n_train - p : -horizon]  # the state at each year that is not trained on
truth = past(x, horizon)[n_train:]
ode = model.predict(starts, np.arange(horizon + 1.0))[:, -1, 1:]

coefficients, _ = autoregression(train, p)
rows = starts
for _ in range(horizon):
    nearest = np.column_stack([rows[:, -p:], np.ones(len(rows))])
    rows = np.column_stack([rows, nearest @ coefficients])
ar = rows[:, p:]

forecasts = {"neural ODE": ode, "autoregression": ar, "mean": np.full_like(truth, train.mean())}
for name, values in forecasts.items():
    error = np.sqrt(np.mean((values - truth) ** 2)) / truth.std()
    print(f"{name:15} {error:.2f} of a deviation")

# %%
# The errors are those of the autoregression, no better and no worse. What the differential equation
# adds: values at any time between the years, and a warning where a solution leaves the data.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
left.plot(years, x, color="0.6", marker=".", lw=1)
fine = np.linspace(0, horizon, 101)
for k in (0, 9, 18):
    solution = model.simulate(starts[k], fine)[:, -1]
    left.plot(years[n_train - 1 + k] + fine, solution, lw=2)
left.set(xlabel="year", ylabel="log10 of pelts", xlim=(1880, 1935), title="three forecasts")
for name, values in forecasts.items():
    by_year = np.sqrt(np.mean((values - truth) ** 2, axis=0)) / truth.std()
    right.plot(range(1, horizon + 1), by_year, label=name, marker=".")
right.set(xlabel="years ahead", ylabel="error in deviations", ylim=0)
right.legend()
