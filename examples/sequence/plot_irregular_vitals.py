"""
Which hours of a stay decided?
==============================

Patients on a ward: pulse and temperature, measured when somebody came by, not always both, for as
long as they stayed. Some get worse: from some hour on the pulse rises, and because somebody notices
they are looked after more often. A model that learns from series with their own times finds both,
and the display shows which hours of a stay its answer rests on.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

from skdyn import SSMClassifier
from skdyn.inspection import DecisiveTimesDisplay


def patient(rng, worse):
    """Measure a stay; return values, hours, and when it got worse."""
    length = rng.uniform(24, 60)
    onset = rng.uniform(0.3, 0.7) * length if worse else np.inf
    visits = np.cumsum(rng.exponential(2.0, 80))
    after = onset + np.cumsum(rng.exponential(1.0, 80))
    t = np.concatenate([visits[visits < min(onset, length)], after[after < length]])
    ill = np.clip((t - onset) / 6, 0, 1)  # within six hours
    pulse = 78 + 6 * rng.normal() + 7 * ill + 8 * rng.normal(size=len(t))
    temperature = 36.8 + 0.3 * rng.normal() + 0.2 * ill + 0.3 * rng.normal(size=len(t))
    values = np.stack([pulse, temperature])
    values[1, rng.random(len(t)) < 0.4] = np.nan
    return values, t, onset


rng = np.random.default_rng(0)
y = np.arange(300) % 2
X, t, onset = zip(*(patient(rng, worse) for worse in y), strict=True)
train, test = slice(200), slice(200, None)

# %%
# Series go in as a list with their times. Nothing is filled in by hand: the model is told which
# values were seen, and how long the steps were. While it is trained, points are left out by chance,
# so that it does not learn two hundred stays by heart.

model = SSMClassifier(n_layers=1, hidden_channels=32, random_state=0)
model.fit(X[train], y[train], t=t[train])
risk = model.predict_proba(X[test], t=t[test])[:, 1]
print(f"area under the curve, new patients: {roc_auc_score(y[test], risk):.3f}")
last = [np.nanmean(case[0, -5:]) for case in X[test]]
print(f"mean of the last five pulses:       {roc_auc_score(y[test], last):.3f}")

# %%
# Without their times the same values say less: the model does not know that visits became frequent.

blind = SSMClassifier(n_layers=1, hidden_channels=32, random_state=0).fit(X[train], y[train])
risk_blind = blind.predict_proba(X[test])[:, 1]
print(f"the same model, points counted:     {roc_auc_score(y[test], risk_blind):.3f}")

# %%
# A patient that the model takes for getting worse, and rightly. Hours are left out by turns, three
# at a time: the bars are what each adds to the odds. The dashed line is when it began.

case = 200 + np.flatnonzero(y[test])[risk[y[test] == 1].argsort()[30]]
figure, axes = plt.subplots(2, 1, figsize=(7, 5), layout="constrained")
axes[0].plot(t[case], X[case][0], "o", color="black", markersize=4)
axes[0].set(ylabel="pulse a minute")
DecisiveTimesDisplay.from_estimator(model, X, t=t, case=case, width=3.0, ax=axes[1])
axes[1].set(xlabel="hours")
for ax in axes:
    ax.axvline(onset[case], color="gray", linestyle="--")
    ax.set(xlim=(0, t[case][-1] + 1))

plt.show()
