"""Labeled series: features of what happened when, for any estimator of scikit-learn."""

from skdyn.sequence._frames import series_from_frame
from skdyn.sequence._signature_transformer import SignatureTransformer

__all__ = [
    "SignatureTransformer",
    "series_from_frame",
]
