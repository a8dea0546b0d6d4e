"""
Metrics of a training in MLflow's files
=======================================

Whoever keeps track of many trainings wants each one's metrics in one place. scikit-learn's
callbacks hear of every epoch: this one measures the dictionary as it stands then on rows held out,
and notes it where `MLflow <https://mlflow.org>`_ looks for it.

MLflow's file store is a folder of plain text, so that it can be written without MLflow, as here.
``mlflow ui --backend-store-uri DIRECTORY`` shows it; MLflow 3 asks for
``MLFLOW_ALLOW_FILE_STORE=true`` first, or takes the folder into a database by
``mlflow migrate-filestore``. With MLflow at hand ``mlflow.log_metric`` in ``on_fit_task_end`` does
the same for any of its stores.
"""

import tempfile
import time
import uuid
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdyn import SparseAutoencoder
from skdyn.metrics import dead_fraction, fraction_variance_unexplained, l0

# %%
# The callback
# ------------
# ``setup`` and ``teardown`` frame a fit, ``on_fit_task_end`` comes after each epoch, with the
# estimator as if it had been stopped there.


class FileStore:
    """Notes parameters and the metrics of each epoch as MLflow's file store keeps them.

    Parameters
    ----------
    folder : Path
        The store.
    X : ndarray of shape (n_samples, n_features)
        Rows that the training does not see.
    """

    def __init__(self, folder, X):
        self.folder, self.X = folder, X

    def setup(self, estimator, context):
        """Begin a run."""
        self.run, self.epoch = uuid.uuid4().hex, 0
        self.began = round(1000 * time.time())
        self._note("0/meta.yaml", experiment_id="'0'", name="Default", lifecycle_stage="active",
                   artifact_location=(self.folder / "0").as_uri())  # fmt: skip
        for name, value in estimator.get_params().items():
            self._write(f"params/{name}", str(value))
        self._write("tags/mlflow.runName", type(estimator).__name__)
        (self.folder / "0" / self.run / "artifacts").mkdir()
        self._state(1, "null")  # it runs

    def on_fit_task_begin(self, estimator, context):
        """Do nothing before an epoch."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Measure the dictionary as it stands after an epoch."""
        if context.task_name != "epoch":
            return
        codes = fitted_estimator.transform(self.X)
        rebuilt = fitted_estimator.inverse_transform(codes)
        metrics = {
            "loss": fitted_estimator.loss_curve_[-1],
            "fvu": fraction_variance_unexplained(self.X, rebuilt),
            "dead": dead_fraction(codes),
            "l0": l0(codes),
        }
        self.epoch += 1
        for name, value in metrics.items():
            self._write(f"metrics/{name}", f"{round(1000 * time.time())} {value} {self.epoch}\n")

    def teardown(self, estimator, context):
        """End the run."""
        self._state(3, round(1000 * time.time()))  # it is finished

    def _state(self, status, end_time):
        self._note(
            f"0/{self.run}/meta.yaml", artifact_uri=(self.folder / "0" / self.run).as_uri(),
            end_time=end_time, experiment_id="'0'", lifecycle_stage="active", run_id=self.run,
            run_name="dictionary", source_type=4, start_time=self.began, status=status, tags="[]",
            user_id="me", entry_point_name="''", source_name="''", source_version="''",
        )  # fmt: skip

    def _note(self, file, **entries):
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key}: {value}\n" for key, value in entries.items()))

    def _write(self, name, text):
        path = self.folder / "0" / self.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(text)


# %%
# Two runs
# --------
# The callback is set before the fit; both runs go to one store.

X = load_digits().data / 16
X_train, X_test = train_test_split(X, random_state=0)
store = Path(tempfile.mkdtemp()) / "mlruns"
for k in (4, 8):
    model = SparseAutoencoder(96, k=k, max_iter=20, random_state=0)
    model.set_callbacks(FileStore(store, X_test)).fit(X_train)

# %%
# What is there
# -------------
# A line a measurement: when, what, and of which epoch.

fig, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for run in sorted(store.glob("0/*/"), key=lambda run: (run / "params" / "k").read_text()):
    name = f"k = {(run / 'params' / 'k').read_text()}"
    for ax, metric in zip(axes, ("fvu", "dead"), strict=True):
        _, values, epochs = np.loadtxt(run / "metrics" / metric, unpack=True)
        ax.plot(epochs, values, label=name)
        ax.set(xlabel="epoch", ylabel=metric)
axes[0].legend()
print(
    *sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())[:5], sep="\n"
)
plt.show()
