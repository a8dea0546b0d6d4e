"""How strong the penalties should be: what the data themselves say."""

import math
from typing import Any

import torch

_MINIMUM, _MAXIMUM = 1e-30, 1e6
_START = 1e-3  # smooth first: it then ends in better minima


class Evidence:
    """Strengths of the smoothness and of the ridge penalty, fixed or set by the evidence.

    Read as a Gaussian prior, a penalty has the strength under which the data are most probable;
    its fixed point needs only traces of the inverse Gauss-Newton matrix [1]_, at hand in every
    step of Levenberg-Marquardt [2]_. Without noise the strengths sink as the loss does and cost no
    accuracy; with noise they keep a fine grid from following it, and no data are held out.

    All edges share one smoothness, and all weights one ridge penalty, but for the levels of each
    column of categories, which spread as they do; or each input of the network has a strength of
    its own, and what follows has one: inputs that say nothing are shut out [1]_.

    Parameters
    ----------
    smoothness : float or "auto"
        Weight of the edges' squared curvature in the loss.
    alpha : float or "auto"
        Weight of half the squared weights in the loss.
    n_rows : float
        Total weight of the rows.
    noise : {"unknown", "known"}
        Whether the loss is a squared error, whose noise is to be estimated too, or minus a
        log-probability.
    by_input : bool, default=False
        Whether each input has its own ridge penalty.

    Attributes
    ----------
    alphas : Tensor of shape (n_features + 1,) or None
        Strengths of the ridge penalty; None before the first problem was seen.
    log : float
        Logarithm of the evidence, up to a constant of the data, as of the last step.

    References
    ----------
    .. [1] D. J. C. MacKay, "Bayesian Interpolation", Neural Computation 4, 1992.
    .. [2] F. D. Foresee, M. T. Hagan, "Gauss-Newton Approximation to Bayesian Learning",
       International Conference on Neural Networks, 1997.
    """

    def __init__(self, smoothness, alpha, n_rows, noise, *, by_input=False):
        self.learns_smoothness, self.learns_alpha = smoothness == "auto", alpha == "auto"
        self.smoothness = _START if self.learns_smoothness else smoothness
        self.alpha = _START if self.learns_alpha else alpha
        self.n_rows, self.noise, self.by_input = n_rows, noise, by_input
        self.alphas: Any = None
        self.log = -math.inf

    def go_on_from(self, other):
        """Take another's strengths, where they are to be learned.

        Parameters
        ----------
        other : Evidence
            Of a network on the same inputs.
        """
        self.by_input = other.by_input
        self.smoothness, self.alphas, self.log = other.smoothness, other.alphas, other.log

    def ridge(self, problem):
        """Return the strength of the ridge penalty on each weight.

        Parameters
        ----------
        problem : GaussNewtonProblem
            Whose weights.

        Returns
        -------
        Tensor of shape (n_weights,)
        """
        if self.alphas is None:
            self.alphas = problem.X.new_full((problem.n_groups,), self.alpha)
        return self.alphas[problem.group]

    def weigh(self, problem, data_loss, weights, curvature, roughness):
        """Take a step towards the most probable strengths.

        Parameters
        ----------
        problem : GaussNewtonProblem
            What is solved.
        data_loss : Tensor
            Mean loss of its rows alone, a scalar.
        weights : Tensor of shape (n_weights,)
            The present weights.
        curvature : Tensor of shape (n_weights, n_weights)
            Gauss-Newton matrix of the loss without these penalties.
        roughness : Tensor of shape (n_weights, n_weights)
            Quadratic form of the squared curvature.
        """
        if not (self.learns_smoothness or self.learns_alpha):
            return
        ridge = self.ridge(problem)
        posterior = curvature + 2 * self.smoothness * roughness
        posterior.diagonal().add_(ridge)
        scale = posterior.diagonal()
        posterior.diagonal().add_(1e-13 * (scale + scale.max()))  # rounding, where nothing binds
        factor, failed = torch.linalg.cholesky_ex(posterior)
        if failed:
            return
        inverse = torch.cholesky_inverse(factor)
        # What the prior leaves free and what data and prior together leave free: the difference
        # is the number of weights that the data decide.
        rough = 2 * self.smoothness * problem.roughness_spectrum() + _MINIMUM
        n_smooth = (rough / (rough + ridge)).sum() - 2 * self.smoothness * (
            inverse * roughness
        ).sum()
        n_small = problem.by_group(ridge / (rough + ridge) - ridge * inverse.diagonal())
        n_smooth, n_small = n_smooth.clamp(min=1e-3), n_small.clamp(min=1e-4)
        unit = self._unit(problem, data_loss, n_smooth + n_small.sum())
        bend = weights @ (roughness @ weights)
        squares = problem.by_group(weights.square())
        loss = data_loss + self.smoothness * bend + 0.5 * self.alphas @ squares
        volume = 0.5 * (rough + ridge).log().sum() - factor.diagonal().log().sum()
        self.log = (volume - 0.5 * loss / unit - self._misfit(problem, unit)).item()
        if self.learns_smoothness:
            self.smoothness = _approach(self.smoothness, unit * n_smooth / bend).item()
        if self.learns_alpha:
            if not self.by_input:
                own = problem.own
                n_small, squares = (
                    torch.where(own, part, part[~own].sum()) for part in (n_small, squares)
                )
            self.alphas = _approach(self.alphas, 2 * unit * n_small / squares)

    def _unit(self, problem, data_loss, n_decided):
        """Return what one unit of minus the log-probability is in the loss, halved."""
        if self.noise == "known":
            return 0.5 / self.n_rows
        n_residuals = self.n_rows * problem.y.shape[1]
        unit = data_loss / (n_residuals - n_decided).clamp(min=1.0)
        return unit.clamp(min=_MINIMUM)  # of exact answers rounding is left, and no noise

    def _misfit(self, problem, unit):
        """Return the logarithm of the noise's size, summed up over the rows where it is learned."""
        if self.noise == "known":
            return 0.0
        n_residuals = self.n_rows * problem.y.shape[1]
        return 0.5 * n_residuals * (unit * n_residuals).log()


def _approach(now, target):
    """Move half the way, in orders of magnitude: the fixed point moves while weights do."""
    return (now * target.nan_to_num(_MAXIMUM).clamp(_MINIMUM, _MAXIMUM)) ** 0.5
