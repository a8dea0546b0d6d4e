"""The peers of ``sequence.py``: models of series that are no part of this package.

Each takes lists of series ``(n_channels, n_timepoints_i)`` and of their times, by ``fit(X, y, t)``
and ``score(X, y, t)``. Those that are trained get ``seconds`` of CPU time, over which their rate
falls to zero. Those of other packages raise :class:`Missing` where these are not installed.
"""

import time

import numpy as np
import torch
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import LagTransformer

RATE, BATCH, HIDDEN = 0.01, 32, 32


class Missing(Exception):
    """A package that is compared with is not installed."""


class Trained:
    """A network that reads rows of equal length, trained for so many seconds."""

    def __init__(self, seed, seconds):
        self.seed, self.seconds = seed, seconds

    def fit(self, X, y, t):
        every = np.concatenate(X, axis=1)
        self.mean, self.scale = np.nanmean(every, axis=1), np.nanstd(every, axis=1)
        self.step = np.median(np.concatenate([np.diff(times) for times in t]))
        self.span = max(times[-1] - times[0] for times in t)
        self.most = max(map(len, t))
        self.classes, y = np.unique(y, return_inverse=True)
        torch.manual_seed(self.seed)
        (rows, last), y = self.read(X, t), torch.from_numpy(y)
        self.net = self.build(
            rows.shape[-1] if rows.ndim == 3 else rows.shape[2], len(self.classes)
        )
        optimizer = torch.optim.Adam(self.net.parameters(), lr=RATE)
        start, spent, self.n_epochs = time.process_time(), 0.0, 0
        while spent < self.seconds:
            for some in torch.randperm(len(y)).split(BATCH):
                optimizer.param_groups[0]["lr"] = RATE * (1 + np.cos(np.pi * spent)) / 2
                optimizer.zero_grad()
                scores = self.net(rows[some], last[some])
                torch.nn.functional.cross_entropy(scores, y[some]).backward()
                torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
                optimizer.step()
                spent = min(1.0, (time.process_time() - start) / self.seconds)
                if spent == 1.0:
                    return self
            self.n_epochs += 1
        return self

    @torch.no_grad()
    def score(self, X, y, t):
        return (self.classes[self.net(*self.read(X, t)).argmax(dim=1)] == y).mean()

    def standard(self, case):
        """Return values (n_timepoints, n_channels) in deviations, NaN where nothing was seen."""
        return (case.T - self.mean) / self.scale


class Recurrent(torch.nn.Module):
    """Cells along a series, the last state out."""

    def __init__(self, cells, n_outputs):
        super().__init__()
        self.cells, self.answer = cells, torch.nn.Linear(HIDDEN, n_outputs)

    def forward(self, rows, last):
        return self.answer(self.cells(rows)[0][torch.arange(len(last)), last])


class GRU(Trained):
    """Torch's recurrent cells on values: gaps are filled, times are not told."""

    tells = False

    def read(self, X, t):
        n_channels = len(X[0])
        rows = np.zeros((len(X), max(map(len, t)), (1 + self.tells) * n_channels + self.tells))
        for row, case, times in zip(rows, X, t, strict=True):
            own, values = row[: len(times)], self.standard(case)
            own[:, :n_channels] = filled(values)
            if self.tells:
                own[:, n_channels:-1] = ~np.isnan(values)
                own[:, -1] = np.log1p(np.diff(times, prepend=times[0]) / self.step)
        return torch.from_numpy(rows).float(), torch.tensor([len(times) - 1 for times in t])

    def build(self, n_inputs, n_outputs):
        return Recurrent(torch.nn.GRU(n_inputs, HIDDEN, batch_first=True), n_outputs)


class GRUWithGaps(GRU):
    """The same, told which values were seen and how long each step was."""

    tells = True


class CfC(GRUWithGaps):
    """The closed-form continuous-time cells of ncps, which get the steps as such."""

    def build(self, n_inputs, n_outputs):
        try:
            from ncps.torch import CfCCell
        except ImportError as error:
            raise Missing("ncps") from error

        class Cells(torch.nn.Module):
            """A loop of ours: that of ncps 1.0 takes no steps of several series."""

            def __init__(self):
                super().__init__()
                self.cell = CfCCell(n_inputs, HIDDEN)

            def forward(self, rows):
                state, states = rows.new_zeros(len(rows), HIDDEN), []
                steps = rows[:, :, -1:].expm1()
                for row, step in zip(rows.unbind(1), steps.unbind(1), strict=True):
                    state = self.cell(row, state, step)[0]
                    states.append(state)
                return torch.stack(states, dim=1), state

        return Recurrent(Cells(), n_outputs)


class TorchCDE(Trained):
    """Torchcde's equation along straight lines through time, counts and values, a step a knot.

    Paths of shorter series stand still at their ends, as that package advises.
    """

    method, adjoint = "rk4", False

    def read(self, X, t):
        n_channels, longest = len(X[0]), max(map(len, t))
        rows = np.empty((len(X), longest, 1 + 2 * n_channels))
        for row, case, times in zip(rows, X, t, strict=True):
            values, size = self.standard(case), len(times)
            row[:size, 0] = 3 * (times - times[0]) / self.span  # about a deviation each way
            row[:size, 1 : 1 + n_channels] = (~np.isnan(values)).cumsum(axis=0) / self.most
            row[:size, 1 + n_channels :] = filled(values)
            row[size:] = row[size - 1]
        return torch.from_numpy(rows).float(), torch.tensor([longest - 1] * len(X))

    def build(self, n_inputs, n_outputs):
        try:
            import torchcde
        except ImportError as error:
            raise Missing("torchcde") from error
        return DrivenNetwork(torchcde, n_inputs, n_outputs, self.method, self.adjoint)


class DrivenNetwork(torch.nn.Module):
    """The network of torchcde's examples: two layers with a hyperbolic tangent at the end."""

    def __init__(self, torchcde, n_inputs, n_outputs, method, adjoint):
        super().__init__()
        self.torchcde, self.options = torchcde, {"method": method, "adjoint": adjoint}
        self.start = torch.nn.Linear(n_inputs, HIDDEN)
        self.field = ControlField(n_inputs)
        self.answer = torch.nn.Linear(HIDDEN, n_outputs)

    def forward(self, rows, last):
        path = self.torchcde.LinearInterpolation(self.torchcde.linear_interpolation_coeffs(rows))
        z = self.torchcde.cdeint(
            X=path, z0=self.start(rows[:, 0]), func=self.field, t=path.interval,
            options={"step_size": 1.0}, **self.options,
        )  # fmt: skip
        return self.answer(z[:, -1])


class ControlField(torch.nn.Module):
    def __init__(self, n_inputs):
        super().__init__()
        self.shape = HIDDEN, n_inputs
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(HIDDEN, 64), torch.nn.SiLU(), torch.nn.Linear(64, HIDDEN * n_inputs)
        )

    def forward(self, t, z):
        return self.layers(z).tanh().view(len(z), *self.shape)


class MiniRocket:
    """Aeon's random convolutions of values at equal steps, in front of ridge classification."""

    def __init__(self, seed):
        try:
            from aeon.transformations.collection.convolution_based import MiniRocket as Kernels
        except ImportError as error:
            raise Missing("aeon") from error
        self.kernels = Kernels(random_state=seed)
        self.reader = make_pipeline(
            StandardScaler(with_mean=False), RidgeClassifierCV(np.logspace(-3, 3, 10))
        )

    def fit(self, X, y, t):
        size = int(np.median([len(times) for times in t]))
        self.values = LagTransformer(max(10, size)).fit(X, t=t)
        self.n_channels = len(X[0])
        self.reader.fit(self.kernels.fit_transform(self._equal(X, t)), y)
        return self

    def _equal(self, X, t):
        rows = self.values.transform(X, t=t)
        return rows.reshape(len(X), self.n_channels, -1).astype(np.float32)

    def score(self, X, y, t):
        return self.reader.score(self.kernels.transform(self._equal(X, t)), y)


def filled(values):
    """Return values with gaps filled by straight lines, and by zeros where nothing was seen."""
    values = np.array(values)
    place = np.arange(len(values))
    for channel in values.T:
        seen = ~np.isnan(channel)
        channel[~seen] = np.interp(place[~seen], place[seen], channel[seen]) if seen.any() else 0.0
    return values
