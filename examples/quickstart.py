"""
Hare and lynx, from the record to a forecast
============================================

Twenty-one years of pelts, counted by the Hudson's Bay Company, are one short, noisy trajectory. We
fit a neural ODE to all but the last four years in a scikit-learn pipeline, choose its settings by a
small grid search over spans of time, save it, load it, and ask for the years it has not seen.
"""

import argparse
import pickle
import tempfile
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from sklearn.callback import ProgressBar
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdyn import NeuralODE
from skdyn.datasets import load_lynx_hare

HELD_OUT = 4  # years at the end that nothing below may look at before the forecast


def search_model(pelts):
    """Choose and fit a pipeline: logarithms of the pelts, then a neural ODE for their flow."""
    pipeline = make_pipeline(FunctionTransformer(np.log), NeuralODE(random_state=0))
    grid = {"neuralode__hidden_layer_sizes": [(8,), (32,)], "neuralode__alpha": [10, 100, 1000]}
    spans = TimeSeriesSplit(n_splits=2, test_size=HELD_OUT)  # the past teaches, the next years test
    search = GridSearchCV(pipeline, grid, cv=spans, n_jobs=2)
    return search.set_callbacks(ProgressBar()).fit(pelts)


def save_and_load(model):
    """Take the model through a pickle, as a script that runs tomorrow would."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lynx_hare.pickle"
        path.write_bytes(pickle.dumps(model))
        print(f"pickle: {path.stat().st_size / 1024:.0f} kB")
        return pickle.loads(path.read_bytes())


def draw(record, years, fit, forecast, path):
    """Draw the record, the fitted trajectory and the forecast."""
    figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for channel, (name, color) in enumerate(zip(record.feature_names, ("C0", "C3"), strict=True)):
        ax.plot(record.t, record.data[:, channel], "o", color=color, label=name)
        ax.plot(years, fit[:, channel], color=color)
        ax.plot(*forecast[channel], "--", color=color)
    ax.axvspan(record.t[-HELD_OUT - 1], record.t[-1], color="0.93", label="forecast")
    ax.set(xlabel="year", ylabel="pelts, thousands", title="A neural ODE for hare and lynx")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=str(__doc__).strip().splitlines()[0])
    parser.add_argument("--output", default="quickstart.png", help="where to write the plot")
    path = parser.parse_args().output
    start = time.perf_counter()
    warnings.simplefilter("ignore", ConvergenceWarning)  # short fits on part of the record

    record = load_lynx_hare()
    past, future = record.data[:-HELD_OUT], record.data[-HELD_OUT:]
    search = search_model(past)
    print(f"best settings: {search.best_params_}, score {search.best_score_:.2f}")
    model = save_and_load(search.best_estimator_)

    years = record.t[:-HELD_OUT]
    fitted = model[-1].simulate(model[-1].x0_[0], years)
    print(f"R2 of the fit, 1900-1916, log scale: {r2_score(np.log(past), fitted):.2f}")
    ahead = np.exp(model.predict(past[-1:], t=record.t[-HELD_OUT:], t0=record.t[-HELD_OUT - 1])[0])
    last_year = np.tile(past[-1], (HELD_OUT, 1))
    decade_ago = record.data[-10 - HELD_OUT : -10]
    print("mean error of the years 1917-1920, thousands of pelts")
    print(f"  forecast of the neural ODE:     {mean_absolute_error(future, ahead.T):.1f}")
    print(f"  the last year carried on:       {mean_absolute_error(future, last_year):.1f}")
    print(f"  the same years, a cycle before: {mean_absolute_error(future, decade_ago):.1f}")

    years = np.linspace(years[0], years[-1], 200)
    fit = np.exp(model[-1].simulate(model[-1].x0_[0], years))
    times = record.t[-HELD_OUT - 1 :]
    forecast = [(times, np.r_[past[-1, channel], ahead[channel]]) for channel in range(2)]
    draw(record, years, fit, forecast, path)
    print(f"plot: {path}   ({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
