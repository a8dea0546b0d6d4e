"""Inputs as a field takes them: a function of time."""

import torch

__all__ = ["Drive"]

# Inputs bend where a straight line turns by so much of a deviation within an interval.
_BEND = 1e-3


class Drive:
    """Inputs of a batch as a function of the time since its start.

    Parameters
    ----------
    module : TrajectoryODE
        Which knows how many covariates there are and how fast the clock runs.
    path : Path or None
        Of the controls.
    fixed : Tensor of shape (n, n_fixed)
        Covariates, then phase and standardized time at the start, where they are told.
    function : callable or None, default=None
        Controls, (n, 1) to (n, n_controls), in the place of a path.
    """

    def __init__(self, module, path, fixed, function=None):
        self.path, self.function = path, function
        n = module.n_covariates
        self.covariates = fixed[:, :n]
        self.phase = fixed[:, n : n + 1] if module.omega else None
        self.trend = fixed[:, -1:] if module.rate else None
        self.omega, self.rate = module.omega, module.rate

    def stops(self, times):
        """Stops of the solver, and whether controls jump there; see ``solve_ode``.

        A step over a kink may end right and yet be wrong inside, where solutions are read off.

        Parameters
        ----------
        times : Tensor of shape (t,) or (n, t)
            Times of the solution.

        Returns
        -------
        dict
        """
        if self.function is not None:  # nobody knows
            return {"stops": "times"}
        path = self.path
        if path is None or path.smoothness >= 1:
            return {}
        if path.smoothness < 0 or times.ndim == 2 or path.knots.ndim == 2:
            return {"stops": "times", "jumps": path.smoothness < 0}
        turns = path.coefficients[:, :, 1].diff(dim=1).abs().amax(dim=(0, 2))
        return {"stops": path.knots[1:-1][turns * path.knots.diff().mean() > _BEND]}

    def __call__(self, t):
        """Return the inputs (n, n_inputs) at times () or (n, 1)."""
        parts = []
        if self.function is not None:
            parts.append(self.function(t.expand(len(self.covariates), 1)).to(self.covariates))
        elif self.path is not None:
            values = self.path.evaluate(t)
            parts.append(values if t.ndim == 0 else values[:, 0])
        parts.append(self.covariates)
        if self.phase is not None:
            phase = self.phase + self.omega * t
            parts += [torch.sin(phase), torch.cos(phase)]
        if self.trend is not None:
            parts.append(self.trend + self.rate * t)
        return torch.cat(parts, dim=1)
