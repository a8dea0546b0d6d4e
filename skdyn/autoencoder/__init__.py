"""Sparse autoencoders: dictionaries of which every row uses a few entries.

An encoder makes a sparse code z of a row x, a linear decoder restores the row from it,

.. math:: z = \\mathrm{act}(W_{enc} (x - b) + b_{enc}), \\qquad \\hat x = W_{dec}^\\top z + b,

with more latents than features and rows of norm one in :math:`W_{dec}`. Of the n times
``n_components`` entries of the codes of a batch, about ``k`` n are active; who chooses them is the
``allocation``'s [1]_: each row its k largest [2]_, or, as in a market, the latents, each its share.

References
----------
.. [1] Kola Ayonrinde, "Adaptive Sparse Allocation with Mutual Choice & Feature Choice Sparse
   Autoencoders", arXiv:2411.02124, 2024.
.. [2] Leo Gao et al., "Scaling and evaluating sparse autoencoders", arXiv:2406.04093, 2024.
"""

from skdyn._checkpoint import Checkpoint
from skdyn.autoencoder._activations import collect_activations
from skdyn.autoencoder._autoencoder import SparseAutoencoder
from skdyn.autoencoder._bottleneck import CodebookBottleneck, with_codebooks
from skdyn.autoencoder._codebook import CodebookTransformer
from skdyn.autoencoder._crosscoder import Crosscoder
from skdyn.autoencoder._end_to_end import fit_end_to_end
from skdyn.autoencoder._evaluation import evaluate_dictionary, saved_bits_score
from skdyn.autoencoder._loading import NormalizedRows, load_dictionary, normalize_rows
from skdyn.autoencoder._loss_recovered import RecoveredLoss, loss_recovered
from skdyn.autoencoder._matching import (
    DictionaryMatch,
    convergent_learning,
    match_dictionaries,
)
from skdyn.autoencoder._merging import MergedUnits, merge_units
from skdyn.autoencoder._saelens import load_saelens, save_saelens
from skdyn.autoencoder._splicing import LatentEdit, spliced
from skdyn.autoencoder._transcoder import Transcoder
from skdyn.autoencoder._units import UnitMatch, match_units

__all__ = [
    "Checkpoint",
    "CodebookBottleneck",
    "CodebookTransformer",
    "Crosscoder",
    "DictionaryMatch",
    "LatentEdit",
    "MergedUnits",
    "NormalizedRows",
    "RecoveredLoss",
    "SparseAutoencoder",
    "Transcoder",
    "UnitMatch",
    "collect_activations",
    "convergent_learning",
    "evaluate_dictionary",
    "fit_end_to_end",
    "load_dictionary",
    "load_saelens",
    "loss_recovered",
    "match_dictionaries",
    "match_units",
    "merge_units",
    "normalize_rows",
    "save_saelens",
    "saved_bits_score",
    "spliced",
    "with_codebooks",
]
