"""How strong the penalties should be: what the data themselves say."""

import torch

_MINIMUM, _MAXIMUM = 1e-30, 1e6


class Evidence:
    """Strengths of the smoothness and of the ridge penalty, fixed or set by the evidence.

    Read as a Gaussian prior, a penalty has the strength under which the data are most probable;
    its fixed point needs only traces of the inverse Gauss-Newton matrix [1]_, at hand in every
    step of Levenberg-Marquardt [2]_. Without noise the strengths sink as the loss does and cost no
    accuracy; with noise they keep a fine grid from following it, and no data are held out.

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

    References
    ----------
    .. [1] D. J. C. MacKay, "Bayesian Interpolation", Neural Computation 4, 1992.
    .. [2] F. D. Foresee, M. T. Hagan, "Gauss-Newton Approximation to Bayesian Learning",
       International Conference on Neural Networks, 1997.
    """

    def __init__(self, smoothness, alpha, n_rows, noise):
        self.learns_smoothness, self.learns_alpha = smoothness == "auto", alpha == "auto"
        self.smoothness = 1e-6 if self.learns_smoothness else smoothness
        self.alpha = 1e-6 if self.learns_alpha else alpha
        self.n_rows, self.noise = n_rows, noise

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
        prior = 2 * self.smoothness * roughness
        prior.diagonal().add_(self.alpha)
        posterior = curvature + prior
        scale = posterior.diagonal()
        posterior.diagonal().add_(1e-13 * (scale + scale.max()))  # rounding, where nothing binds
        factor, failed = torch.linalg.cholesky_ex(posterior)
        if failed:
            return
        inverse = torch.cholesky_inverse(factor)
        # What the prior leaves free and what data and prior together leave free: the difference
        # is the number of weights that the data decide.
        rough = 2 * self.smoothness * problem.roughness_spectrum() + _MINIMUM
        n_smooth = (rough / (rough + self.alpha)).sum() - 2 * self.smoothness * (
            inverse * roughness
        ).sum()
        n_small = (self.alpha / (rough + self.alpha)).sum() - self.alpha * inverse.trace()
        n_smooth, n_small = n_smooth.clamp(min=1e-3), n_small.clamp(min=1e-3)
        unit = self._unit(problem, data_loss, n_smooth + n_small)
        if self.learns_smoothness:
            target = unit * n_smooth / (weights @ roughness @ weights)
            self.smoothness = _approach(self.smoothness, target)
        if self.learns_alpha:
            target = 2 * unit * n_small / weights.square().sum()
            self.alpha = _approach(self.alpha, target)

    def _unit(self, problem, data_loss, n_decided):
        """Return what one unit of minus the log-probability is in the loss, halved."""
        if self.noise == "known":
            return 0.5 / self.n_rows
        n_residuals = self.n_rows * problem.y.shape[1]
        return data_loss / (n_residuals - n_decided).clamp(min=1.0)


def _approach(now, target):
    """Move half the way, in orders of magnitude: the fixed point moves while weights do."""
    return (now * target.clamp(_MINIMUM, _MAXIMUM).item()) ** 0.5
