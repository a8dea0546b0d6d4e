"""Neural dynamics as scikit-learn estimators.

Every public estimator is importable from here: ``from skdyn import NeuralODE``. Names are resolved
on first use, so that ``import skdyn`` alone loads neither torch nor scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.2.0"

# Folders that hold no estimators; every other subpackage is a family.
_FLOORS = frozenset(
    {
        "datasets",
        "formulas",
        "inspection",
        "metrics",
        "model_selection",
        "scale",
        "solvers",
        "testing",
        "tests",
        "training",
    }
)
_SUBMODULES = frozenset({"base", "exceptions", "io"})

# What follows is read by type checkers and editors, then when a name is asked for. It is written
# from the families' ``__all__`` by ``python docs/_pages.py``.
# fmt: off
# isort: off
if TYPE_CHECKING:
    from skdyn import (
        autoencoder as autoencoder, base as base, datasets as datasets, exceptions as exceptions,
        formulas as formulas, hopfield as hopfield, inspection as inspection, io as io, kan as kan,
        kernels as kernels, metrics as metrics, model_selection as model_selection, neural_ode as
        neural_ode, operators as operators, scale as scale, sequence as sequence, solvers as
        solvers, symbolic as symbolic, testing as testing, training as training,
    )
    from skdyn.autoencoder import (
        Checkpoint, CodebookBottleneck, CodebookTransformer, Crosscoder, DictionaryMatch,
        LatentEdit, MergedUnits, NormalizedRows, RecoveredLoss, SparseAutoencoder, Transcoder,
        UnitMatch, collect_activations, convergent_learning, evaluate_dictionary, fit_end_to_end,
        load_dictionary, load_saelens, loss_recovered, match_dictionaries, match_units, merge_units,
        normalize_rows, save_saelens, saved_bits_score, spliced, with_codebooks,
    )
    from skdyn.hopfield import (
        BagTransformer, DenseHebbianClassifier, EntmaxSeparation, FaissIndex, HopfieldClassifier,
        HopfieldForecaster, HopfieldImputer, HopfieldMemory, HopfieldOutlierDetector,
        HopfieldPoolingClassifier, HopfieldPoolingRegressor, HopfieldRegressor,
        PolynomialInteraction, SequenceMemory, TopKSeparation, bags_from_table,
    )
    from skdyn.kan import (
        KANClassifier, KANRegressor,
    )
    from skdyn.kernels import (
        NNGPKernel, NTKKernel, StudentTProcessRegressor,
    )
    from skdyn.neural_ode import (
        NeuralODE, NeuralODEClassifier, NeuralODERegressor,
    )
    from skdyn.operators import (
        AdaFNNClassifier, AdaFNNRegressor, AutoregressiveOperator, ConformalOperatorRegressor,
        DeepONetRegressor, FNORegressor, KernelOperatorRegressor, MgNORegressor,
        PointCloudOperatorRegressor,
    )
    from skdyn.sequence import (
        AugmentedCovariance, HiPPOTransformer, LagTransformer, NeuralCDEClassifier,
        NeuralCDERegressor, SSMClassifier, SSMRegressor, SignatureTransformer, series_from_frame,
        signature_kernel,
    )
    from skdyn.symbolic import (
        ColumnLibrary, ConcatLibrary, ConstrainedSR3, EnsembleOptimizer, EquationSystem, FROLS,
        FiniteDifference, FourierLibrary, FunctionLibrary, IdentityLibrary, IntegralForm, MIOSR,
        PolynomialLibrary, SINDyRegressor, SR3, SSR, STLSQ, SmoothedFiniteDifference,
        SpectralDerivative, SplineDerivative, SymbolicODERegressor, TensorLibrary, TotalVariation,
        TrajectorySplit, TrappingSR3, WeakForm,
    )

__all__ = [
    "AdaFNNClassifier", "AdaFNNRegressor", "AugmentedCovariance", "AutoregressiveOperator",
    "BagTransformer", "Checkpoint", "CodebookBottleneck", "CodebookTransformer", "ColumnLibrary",
    "ConcatLibrary", "ConformalOperatorRegressor", "ConstrainedSR3", "Crosscoder",
    "DeepONetRegressor", "DenseHebbianClassifier", "DictionaryMatch", "EnsembleOptimizer",
    "EntmaxSeparation", "EquationSystem", "FNORegressor", "FROLS", "FaissIndex", "FiniteDifference",
    "FourierLibrary", "FunctionLibrary", "HiPPOTransformer", "HopfieldClassifier",
    "HopfieldForecaster", "HopfieldImputer", "HopfieldMemory", "HopfieldOutlierDetector",
    "HopfieldPoolingClassifier", "HopfieldPoolingRegressor", "HopfieldRegressor", "IdentityLibrary",
    "IntegralForm", "KANClassifier", "KANRegressor", "KernelOperatorRegressor", "LagTransformer",
    "LatentEdit", "MIOSR", "MergedUnits", "MgNORegressor", "NNGPKernel", "NTKKernel",
    "NeuralCDEClassifier", "NeuralCDERegressor", "NeuralODE", "NeuralODEClassifier",
    "NeuralODERegressor", "NormalizedRows", "PointCloudOperatorRegressor", "PolynomialInteraction",
    "PolynomialLibrary", "RecoveredLoss", "SINDyRegressor", "SR3", "SSMClassifier", "SSMRegressor",
    "SSR", "STLSQ", "SequenceMemory", "SignatureTransformer", "SmoothedFiniteDifference",
    "SparseAutoencoder", "SpectralDerivative", "SplineDerivative", "StudentTProcessRegressor",
    "SymbolicODERegressor", "TensorLibrary", "TopKSeparation", "TotalVariation", "TrajectorySplit",
    "Transcoder", "TrappingSR3", "UnitMatch", "WeakForm", "bags_from_table", "collect_activations",
    "convergent_learning", "evaluate_dictionary", "fit_end_to_end", "load_dictionary",
    "load_saelens", "loss_recovered", "match_dictionaries", "match_units", "merge_units",
    "normalize_rows", "save_saelens", "saved_bits_score", "series_from_frame", "signature_kernel",
    "spliced", "with_codebooks",
]
_FAMILY_OF = {
    "AdaFNNClassifier": "operators", "AdaFNNRegressor": "operators",
    "AugmentedCovariance": "sequence", "AutoregressiveOperator": "operators",
    "BagTransformer": "hopfield", "Checkpoint": "autoencoder", "CodebookBottleneck": "autoencoder",
    "CodebookTransformer": "autoencoder", "ColumnLibrary": "symbolic", "ConcatLibrary": "symbolic",
    "ConformalOperatorRegressor": "operators", "ConstrainedSR3": "symbolic",
    "Crosscoder": "autoencoder", "DeepONetRegressor": "operators",
    "DenseHebbianClassifier": "hopfield", "DictionaryMatch": "autoencoder",
    "EnsembleOptimizer": "symbolic", "EntmaxSeparation": "hopfield", "EquationSystem": "symbolic",
    "FNORegressor": "operators", "FROLS": "symbolic", "FaissIndex": "hopfield",
    "FiniteDifference": "symbolic", "FourierLibrary": "symbolic", "FunctionLibrary": "symbolic",
    "HiPPOTransformer": "sequence", "HopfieldClassifier": "hopfield",
    "HopfieldForecaster": "hopfield", "HopfieldImputer": "hopfield", "HopfieldMemory": "hopfield",
    "HopfieldOutlierDetector": "hopfield", "HopfieldPoolingClassifier": "hopfield",
    "HopfieldPoolingRegressor": "hopfield", "HopfieldRegressor": "hopfield",
    "IdentityLibrary": "symbolic", "IntegralForm": "symbolic", "KANClassifier": "kan",
    "KANRegressor": "kan", "KernelOperatorRegressor": "operators", "LagTransformer": "sequence",
    "LatentEdit": "autoencoder", "MIOSR": "symbolic", "MergedUnits": "autoencoder",
    "MgNORegressor": "operators", "NNGPKernel": "kernels", "NTKKernel": "kernels",
    "NeuralCDEClassifier": "sequence", "NeuralCDERegressor": "sequence", "NeuralODE": "neural_ode",
    "NeuralODEClassifier": "neural_ode", "NeuralODERegressor": "neural_ode",
    "NormalizedRows": "autoencoder", "PointCloudOperatorRegressor": "operators",
    "PolynomialInteraction": "hopfield", "PolynomialLibrary": "symbolic",
    "RecoveredLoss": "autoencoder", "SINDyRegressor": "symbolic", "SR3": "symbolic",
    "SSMClassifier": "sequence", "SSMRegressor": "sequence", "SSR": "symbolic", "STLSQ": "symbolic",
    "SequenceMemory": "hopfield", "SignatureTransformer": "sequence",
    "SmoothedFiniteDifference": "symbolic", "SparseAutoencoder": "autoencoder",
    "SpectralDerivative": "symbolic", "SplineDerivative": "symbolic",
    "StudentTProcessRegressor": "kernels", "SymbolicODERegressor": "symbolic",
    "TensorLibrary": "symbolic", "TopKSeparation": "hopfield", "TotalVariation": "symbolic",
    "TrajectorySplit": "symbolic", "Transcoder": "autoencoder", "TrappingSR3": "symbolic",
    "UnitMatch": "autoencoder", "WeakForm": "symbolic", "bags_from_table": "hopfield",
    "collect_activations": "autoencoder", "convergent_learning": "autoencoder",
    "evaluate_dictionary": "autoencoder", "fit_end_to_end": "autoencoder",
    "load_dictionary": "autoencoder", "load_saelens": "autoencoder",
    "loss_recovered": "autoencoder", "match_dictionaries": "autoencoder",
    "match_units": "autoencoder", "merge_units": "autoencoder", "normalize_rows": "autoencoder",
    "save_saelens": "autoencoder", "saved_bits_score": "autoencoder",
    "series_from_frame": "sequence", "signature_kernel": "sequence", "spliced": "autoencoder",
    "with_codebooks": "autoencoder",
}
# isort: on
# fmt: on


def __getattr__(name):
    family = _FAMILY_OF.get(name)
    if family is not None:
        return getattr(import_module(f"skdyn.{family}"), name)
    if name in _FLOORS | _SUBMODULES or name in _FAMILY_OF.values():
        return import_module(f"skdyn.{name}")
    raise AttributeError(f"module 'skdyn' has no attribute {name!r}")


def __dir__():
    return sorted({"__version__", *_FLOORS, *_SUBMODULES, *_FAMILY_OF, *_FAMILY_OF.values()})
