"""A codebook: every row becomes the sum of k codes, and nothing else of it is kept."""

from typing import Any

import numpy as np
import torch
from sklearn.cluster import kmeans_plusplus
from torch.nn.functional import normalize

from skdyn.autoencoder._kernels import Codes, Support, decode
from skdyn.autoencoder._plan import Plan
from skdyn.autoencoder._start import Shortened, center_and_scale, some_rows

__all__ = ["ASSIGNMENTS", "Codebook", "QuantizationObjective", "start_codes"]

ASSIGNMENTS = ("residual", "cosine")
_MEMORY = 100  # steps that running averages look back


class Codebook(torch.nn.Module):
    """Sums of k codes of a codebook, around a center.

    As a layer of a network it passes gradients straight through to its inputs [1]_: rounding to
    codes is flat almost everywhere and would let none pass.

    Parameters
    ----------
    n_features : int
        Width of the inputs.
    n_components : int
        Number of codes.
    k : int
        Codes a row, all different.
    assignment : {"residual", "cosine"}, default="residual"
        "residual" chooses codes one by one, the one nearest to what the earlier ones leave;
        "cosine" the k codes whose directions are most like the row's [2]_.

    References
    ----------
    .. [1] Aaron van den Oord, Oriol Vinyals, Koray Kavukcuoglu, "Neural Discrete Representation
       Learning", NeurIPS 2017, arXiv:1711.00937.
    .. [2] Alex Tamkin, Mohammad Taufeeque, Noah Goodman, "Codebook Features: Sparse and Discrete
       Interpretability for Neural Networks", ICML 2024, arXiv:2310.17230.
    """

    decoder_bias: torch.Tensor
    output_scale: torch.Tensor
    steps: torch.Tensor
    density: torch.Tensor
    mean_code: torch.Tensor
    idle: torch.Tensor
    unit = torch.ones(())  # a code of one adds a row of the decoder

    def __init__(
        self, n_features: int, n_components: int, k: int, assignment: str = "residual"
    ) -> None:
        super().__init__()
        self.k = k
        self.assignment = assignment
        self.decoder_weight = torch.nn.Parameter(torch.randn(n_components, n_features))
        self.register_buffer("decoder_bias", torch.zeros(n_features))
        self.register_buffer("output_scale", torch.ones(n_features))
        self.register_buffer("steps", torch.zeros(()))
        self.register_buffer("density", torch.full((n_components,), k / n_components))
        self.register_buffer("mean_code", torch.full((n_components,), k / n_components))
        self.register_buffer("idle", torch.zeros(n_components))  # rows since it was chosen

    @property
    def n_components(self) -> int:
        """Number of codes."""
        return len(self.decoder_weight)

    def scaled(self, x: torch.Tensor) -> torch.Tensor:
        """Return inputs as the codes see them: around their center, of unit variance.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Inputs.

        Returns
        -------
        Tensor of shape (n_rows, n_features)
        """
        return x * self.output_scale - self.decoder_bias

    @torch.no_grad()
    def choose(self, x: torch.Tensor) -> Support:
        """Choose the codes of rows.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Scaled inputs.

        Returns
        -------
        Support
            k codes per row, the last chosen last.
        """
        weight = self.decoder_weight
        if self.assignment == "cosine":
            chosen = (x @ normalize(weight, dim=1).T).topk(self.k, dim=1).indices
        elif self.assignment == "residual":
            half = -0.5 * weight.square().sum(dim=1)  # |x - c|^2 = |x|^2 - 2 (x c - |c|^2 / 2)
            chosen, left = torch.empty(len(x), 0, dtype=torch.long, device=x.device), x
            for _ in range(self.k):
                match = torch.addmm(half, left, weight.T).scatter_(1, chosen, -torch.inf)
                best = match.argmax(dim=1)
                chosen = torch.cat([chosen, best[:, None]], dim=1)
                left = left - weight[best]
        else:
            raise ValueError(f"assignment must be one of {ASSIGNMENTS}; got {self.assignment!r}.")
        return Support.of_columns(chosen, self.n_components)

    def encode(self, x: torch.Tensor) -> Codes:
        """Return which codes stand for rows, each with a one.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Inputs.

        Returns
        -------
        Codes
        """
        return self.ones(self.choose(self.scaled(x)))

    def ones(self, support: Support) -> Codes:
        """Return the codes of a support.

        Parameters
        ----------
        support : Support
            The chosen ones.

        Returns
        -------
        Codes
        """
        return Codes(support, self.decoder_bias.new_ones(len(support.index)))

    def decode(self, codes: Codes) -> torch.Tensor:
        """Return what codes stand for.

        Parameters
        ----------
        codes : Codes
            Codes.

        Returns
        -------
        Tensor of shape (n_rows, n_features)
        """
        return (decode(codes, self.decoder_weight) + self.decoder_bias) / self.output_scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Replace rows by what their codes stand for; gradients pass as if nothing had happened.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_features)
            Inputs.

        Returns
        -------
        Tensor of shape (n_rows, n_features)
        """
        with torch.no_grad():
            quantized = self.decode(self.encode(x))
        return _StraightThrough.apply(x, quantized)

    def known_thresholds(self) -> dict[str, torch.Tensor]:
        """Return nothing: no threshold is learned here.

        Returns
        -------
        dict
            Empty.
        """
        return {}

    @torch.no_grad()
    def track_use(self, support: Support) -> None:
        """Take the codes of a batch into the running densities.

        Parameters
        ----------
        support : Support
            The chosen ones.
        """
        self.steps += 1.0
        one = self.density.new_ones(())
        counts = torch.zeros_like(self.density)
        counts.index_add_(0, support.index, one.expand(len(support.index)))
        rate = (1.0 / self.steps).clamp_min(1.0 / _MEMORY)
        self.density.lerp_(counts / support.n_rows, rate)
        self.mean_code.copy_(self.density)
        self.idle.add_(support.n_rows).masked_fill_(counts > 0, 0.0)

    @torch.no_grad()
    def revive(self, wanted: torch.Tensor, dead_after: int) -> None:
        """Move codes that nobody chose for long to where one is wanted.

        Parameters
        ----------
        wanted : Tensor of shape (n_rows, n_features)
            Codes that would be of use, the most useful first; they are taken in turn.
        dead_after : int
            Number of rows.
        """
        dead = self.idle >= dead_after
        turn = (dead.cumsum(0) - 1).clamp_min(0) % len(wanted)
        self.decoder_weight.copy_(torch.where(dead[:, None], wanted[turn], self.decoder_weight))
        self.idle.masked_fill_(dead, 0.0)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, quantized):
        return quantized.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        (gradient,) = grad_outputs
        return gradient, None


class QuantizationObjective:
    """Mean squared error of quantised rows, in units of their variance; revives dead codes.

    Parameters
    ----------
    dead_after : int
        Rows without being chosen after which a code is dead.
    generator : torch.Generator
        Source of the rows at which dead codes begin anew.
    plan : Plan
        How far the training is.
    """

    trivial_loss = 1.0  # of one code, the mean

    def __init__(self, dead_after: int, generator: torch.Generator, plan: Plan) -> None:
        self.dead_after = dead_after
        self.generator = generator
        self.plan = plan
        self._batch: Any = None
        self._shorten: Shortened | None = None

    def state(self) -> dict[str, Any]:
        """Return how far it is, and where its draws are.

        Returns
        -------
        dict
        """
        shorten = None if self._shorten is None else self._shorten.state()
        generator = self.generator.get_state()
        return {"plan": self.plan.state(), "shorten": shorten, "generator": generator}

    def take_state(self, state: dict[str, Any]) -> None:
        """Go on from such a state.

        Parameters
        ----------
        state : dict
            The state.
        """
        self.plan.take_state(state["plan"])
        self.generator.set_state(state["generator"])
        if self._shorten is not None:
            self._shorten.take_state(state["shorten"])

    def begin(self, codebook: Codebook, X: np.ndarray, Y: None = None) -> None:
        """Learn from data how far rows may lie, before the first step.

        Parameters
        ----------
        codebook : Codebook
            The network, its scales and center set.
        X : ndarray of shape (n_samples, n_features)
            Inputs.
        Y : None, default=None
            Not used: the targets are the inputs.
        """
        self._shorten = Shortened(X, codebook.output_scale, codebook.decoder_bias, "X")

    def __call__(self, codebook: Codebook, x: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        codebook : Codebook
            The network.
        x : Tensor of shape (n_rows, n_features)
            Inputs.

        Returns
        -------
        Tensor
        """
        self.plan.take(len(x))
        x = x * codebook.output_scale
        if self._shorten is not None:
            x = self._shorten(x)
        x = x - codebook.decoder_bias
        support = codebook.choose(x)
        codebook.track_use(support)
        error = decode(codebook.ones(support), codebook.decoder_weight) - x
        self._batch = x, support, error.detach()
        return error.square().mean()

    def after_step(self, codebook: Codebook) -> None:
        """Revive dead codes at rows of the batch, drawn by their squared error.

        Parameters
        ----------
        codebook : Codebook
            The network.
        """
        x, support, error = self._batch
        # Least of exponential times over weights: a draw without replacement. It is on the CPU,
        # where the generator is; no number comes back from the device.
        times = -torch.rand(len(x), generator=self.generator, dtype=torch.float64).log()
        order = (times.to(error) / error.square().sum(dim=1)).argsort()
        if codebook.assignment == "residual":  # all of what the last code should have been
            last = support.index.view(len(x), -1)[:, -1]
            wanted = codebook.decoder_weight[last] - error
        else:
            wanted = x / codebook.k
        codebook.revive(wanted[order], self.dead_after)


@torch.no_grad()
def start_codes(codebook: Codebook, X: np.ndarray, generator: torch.Generator) -> None:
    """Set the scale, the center and the first codes of a new codebook from data.

    With "residual" the codes form k groups of equal size: the first stands for rows, each other for
    what the groups before it leave over. Within a group they are chosen as k-means++ does [1]_.

    Parameters
    ----------
    codebook : Codebook
        The network.
    X : ndarray of shape (n_samples, n_features)
        Inputs.
    generator : torch.Generator
        Source of the choice.

    References
    ----------
    .. [1] David Arthur, Sergei Vassilvitskii, "k-means++: The Advantages of Careful Seeding",
       SODA 2007.
    """
    center, scale = center_and_scale(X)
    codebook.output_scale.copy_(torch.as_tensor(scale))
    codebook.decoder_bias.copy_(torch.as_tensor(center * scale))
    shorten = Shortened(X, codebook.output_scale, codebook.decoder_bias)
    rows = torch.as_tensor(some_rows(X) * scale).to(codebook.decoder_weight)
    left = (shorten(rows) - shorten.center).double().cpu().numpy()
    by_residual = codebook.assignment == "residual"
    groups = np.array_split(np.arange(codebook.n_components), codebook.k if by_residual else 1)
    rng = np.random.RandomState(int(torch.randint(2**31 - 1, (), generator=generator)))
    for group in groups:
        codes = _seeds(left if by_residual else left / codebook.k, len(group), rng)
        codebook.decoder_weight[group] = torch.as_tensor(codes).to(codebook.decoder_weight)
        match = left @ codes.T - 0.5 * np.square(codes).sum(axis=1)
        left = left - codes[match.argmax(axis=1)]


def _seeds(rows, n, rng):
    """Return n rows far from each other; where there are fewer, some come twice."""
    seeds, _ = kmeans_plusplus(rows, min(n, len(rows)), random_state=rng)
    return np.concatenate([seeds, rows[rng.randint(len(rows), size=n - len(seeds))]])
