"""Pooling as a torch module: states are looked up in a bag of instances."""

import math

import torch

from skdyn.hopfield._bags import present
from skdyn.hopfield._separations import Separation, as_separation

__all__ = ["HopfieldPooling"]


class HopfieldPooling(torch.nn.Module):
    """Retrieve from each bag what is like the learned states; a linear head reads it out.

    Parameters
    ----------
    n_inputs : int
        Numbers that describe an instance.
    n_statistics : int
        Numbers that describe a bag and go straight to the head.
    n_outputs : int
        Outputs of the head.
    n_states : int
        Number of states.
    n_components : int
        Length of keys, states and values.
    separation : str or Separation
        From scores to weights.
    """

    def __init__(
        self, n_inputs: int, n_statistics: int, n_outputs: int, n_states: int, n_components: int,
        separation: str | Separation,
    ) -> None:  # fmt: skip
        super().__init__()
        self.separation = as_separation(separation)
        self.key = torch.nn.Linear(n_inputs, n_components, bias=False)
        self.value = torch.nn.Linear(n_inputs, n_components)
        self.states = torch.nn.Parameter(torch.randn(n_states, n_components))
        self.log_beta = torch.nn.Parameter(torch.zeros(n_states))
        self.head = torch.nn.Linear(n_states * n_components + n_statistics, n_outputs)

    def weights(self, bags):
        """Return the weights of the instances, zero at padding.

        Parameters
        ----------
        bags : Tensor of shape (n, m, n_inputs)
            Bags, padded with NaN.

        Returns
        -------
        Tensor of shape (n, n_states, m)
        """
        here = present(bags)
        return self._weights(here, bags[here])

    def forward(self, bags, statistics):
        """Return the outputs of bags (n, m, n_inputs) and their statistics, (n, n_outputs)."""
        here = present(bags)
        instances = bags[here]  # without padding: bags differ in size by orders of magnitude
        values = instances.new_zeros((*here.shape, self.value.out_features))
        values[here] = self.value(instances)
        pooled = self._weights(here, instances) @ values
        return self.head(torch.cat([pooled.flatten(1), statistics], dim=1))

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        shape : tuple of int
            ``(n, m, n_inputs)``.

        Returns
        -------
        int
        """
        n, m, _ = shape
        keys = self.key.weight.numel() + self.value.weight.numel() + 2 * self.states.numel()
        return n * (m * keys + self.head.weight.numel())

    def _weights(self, here, instances):
        products = self.key(instances) @ self.states.T / math.sqrt(self.states.shape[1])
        scores = products.new_full((*here.shape, len(self.states)), -math.inf)
        scores[here] = products * self.log_beta.exp()
        return self.separation.weights(scores.transpose(1, 2))
