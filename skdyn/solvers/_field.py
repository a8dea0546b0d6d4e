"""A vector field made of a multilayer perceptron."""

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import nn

from skdyn._typing import States
from skdyn.solvers._checks import check_choice

__all__ = ["ACTIVATIONS", "DrivenField", "MLPField"]

ACTIVATIONS = {
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
}


class MLPField(nn.Module):
    """Multilayer perceptron as the right-hand side of a differential equation.

    Parameters
    ----------
    dim : int
        Dimension of the state.
    hidden_layer_sizes : tuple of int, default=(64,)
        Widths of the hidden layers.
    activation : {"silu", "tanh", "softplus", "relu", "gelu", "sigmoid"}, default="silu"
        Activation of the hidden layers.
    time_dependent : bool, default=False
        Whether time is one more input.
    n_inputs : int, default=0
        Number of further inputs, see ``DrivenField``.

    Examples
    --------
    >>> import torch
    >>> from skdyn.solvers import MLPField
    >>> MLPField(2)(torch.tensor(0.0), torch.zeros(3, 2)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        dim: int,
        hidden_layer_sizes: Sequence[int] = (64,),
        activation: str = "silu",
        time_dependent: bool = False,
        n_inputs: int = 0,
    ) -> None:
        super().__init__()
        check_choice("activation", activation, tuple(ACTIVATIONS))
        self.dim = dim
        self.activation = activation
        self.time_dependent = time_dependent
        self.n_inputs = n_inputs
        widths = [dim + n_inputs + time_dependent, *hidden_layer_sizes, dim]
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in itertools.pairwise(widths))
        self._act = ACTIVATIONS[activation]()

    def forward(self, t: torch.Tensor, y: States, inputs: torch.Tensor | None = None) -> States:
        """Evaluate the field.

        Parameters
        ----------
        t : tensor of shape () or (n, 1)
            Time.
        y : tensor of shape (n, d)
            State.
        inputs : tensor of shape (n, n_inputs), default=None
            Further inputs, where the field has any.

        Returns
        -------
        dy : tensor of shape (n, d)
            Time derivative.
        """
        weight = self.layers[0].weight
        if y.shape[-1] != self.dim or y.dtype != weight.dtype:
            raise ValueError(
                f"this MLPField takes states of dimension {self.dim} and {weight.dtype}; got "
                f"{y.shape[-1]} and {y.dtype}. Convert with field.to(y0.dtype) or y0.to(...)."
            )
        if self.n_inputs:
            if inputs is None or inputs.shape != (len(y), self.n_inputs):
                came = None if inputs is None else tuple(inputs.shape)
                raise ValueError(
                    f"this MLPField takes inputs of shape {(len(y), self.n_inputs)}; got {came}."
                )
            y = torch.cat([y, inputs], dim=1)
        if self.time_dependent:
            y = torch.cat([y, torch.as_tensor(t, dtype=y.dtype).expand(len(y), 1)], dim=1)
        for layer in self.layers[:-1]:
            y = self._act(layer(y))
        return self.layers[-1](y)


class DrivenField(nn.Module):
    """An ``MLPField`` along inputs that are a function of time and need no gradient.

    Parameters
    ----------
    network : MLPField
        With ``n_inputs``.
    drive : callable
        ``drive(t)`` returns the inputs (n, n_inputs) at times () or (n, 1).
    """

    def __init__(self, network: nn.Module, drive: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.network, self.drive = network, drive

    def forward(self, t: torch.Tensor, y: States) -> States:
        """Evaluate the field; see ``MLPField``."""
        return self.network(t, y, self.drive(t))

    def between(self, low: torch.Tensor, high: torch.Tensor) -> "DrivenField":
        """The same field, asked for no time beyond ``low`` and ``high``."""
        drive = self.drive
        inside = lambda t: drive(torch.minimum(torch.maximum(t, low), high))  # noqa: E731
        return DrivenField(self.network, inside)
