"""Mexican hats whose places and widths are learned."""

import torch

from skdyn.kan.bases._unit import UnitBasis, evenly


class Wavelet(UnitBasis):
    """Mexican hat wavelets with learnable translations and scales (Wav-KAN [1]_).

    ``B_k(u) = (1 - z^2) exp(-z^2 / 2)``, ``z = (u - t_k) / s_k`` on the unit coordinate u. They
    start in octaves: one hat over all of the range, two of half its width and so on, since hats of
    a single width have mean zero and add up to neither constants nor trends.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_functions : int
        Number of functions of each input.
    extrapolation : {"linear", "constant"}, default="linear"
        How a function goes on outside the range.

    References
    ----------
    .. [1] Z. Bozorgasl and H. Chen, "Wav-KAN: Wavelet Kolmogorov-Arnold Networks",
       arXiv:2405.12832, 2024.
    """

    def __init__(self, n_in, n_functions, extrapolation="linear"):
        super().__init__(n_in, n_functions, extrapolation)
        # The last octave takes what is left.
        n_octaves = (n_functions + 1).bit_length() - 2
        octaves = [2**octave for octave in range(n_octaves)] + [n_functions + 1 - 2**n_octaves]
        places = torch.cat([evenly(n, self.low) * (1 - 1 / n) for n in octaves])
        widths = torch.cat([torch.full((n,), 2.0 / n) for n in octaves])
        self.translation = torch.nn.Parameter(places.repeat(n_in, 1))
        self.log_scale = torch.nn.Parameter(widths.log().repeat(n_in, 1))

    def on_unit(self, u):
        """Evaluate the functions and their derivatives on [-1, 1].

        Parameters
        ----------
        u : Tensor of shape (n, n_in)
            Unit coordinates.

        Returns
        -------
        values, slopes : Tensor of shape (n, n_in, n_functions)
        """
        # From a thousandth of the range to a thousand times: finite whatever training does.
        rate = torch.exp(-self.log_scale.clamp(-7, 7))
        z = (u[..., None] - self.translation) * rate
        bell = torch.exp(-0.5 * z.square())
        return (1 - z.square()) * bell, (z.square() - 3) * z * bell * rate
