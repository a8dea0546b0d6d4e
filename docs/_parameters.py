"""The words of the parameters that many estimators share, said once.

``python docs/_parameters.py`` writes them into the docstrings, which a test compares. Signatures,
assignments and defaults stay in the classes; constraints in :class:`skdyn.base.TorchEstimator`.
"""

import inspect
import re
import textwrap
from pathlib import Path

from skdyn.base import TorchEstimator
from skdyn.testing import all_estimators

# Name: what may be passed, and what it is for. ``[Class, ...] name`` is what some families say.
WORDS = """
optimizer : {"adam", "adamw", "sgd", "lbfgs"}
    Optimizer of the weights. "lbfgs" always uses the full batch.
max_iter : int
    Number of epochs at most.
max_time : float or None
    Seconds after which training stops with a warning, at the end of an epoch. None sets no limit.
learning_rate : float
    Step size of the optimizer; "lbfgs" finds its own.
learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}
    How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the loss
    no longer falls, and stops only when that no longer helps.
batch_size : int or "auto"
    Cases per batch; "auto" is ``min(200, n_samples)``.
alpha : float
    Strength of the L2 penalty on the weights; it is divided by the number of samples (the total of
    their weights) when added to the mean loss, as scikit-learn's networks do.
clip_norm : float or None
    Largest norm of the gradient; larger gradients are scaled down to it.
tol : float
    Smallest decrease of the loss that counts as an improvement.
early_stopping : bool
    Whether to stop when the loss on validation data no longer improves, and to keep the weights
    that were best there.
validation_fraction : float
    Share of the training data set aside for early stopping when ``X_val`` is not given.
n_iter_no_change : int
    Epochs without improvement after which training stops.
warm_start : bool
    Whether ``fit`` continues from the present weights.
random_state : int, RandomState instance or None
    Source of the initial weights, the validation split and the order of the cases. Pass an int for
    the same model every time.
device : str
    Where to train: "auto" is CUDA where it pays, else the CPU; or a torch device such as "cpu".
dtype : {"float32", "float64"}
    Precision of the training. Predictions are computed in the precision of their input.
verbose : int
    1 prints a tenth of the epochs, 2 every epoch.
output : {"dense", "csr"}
    What ``transform`` returns: a dense or a sparse array.
grid_shape : int, tuple of int or None
    Grid that the rows of a flat `X` were flattened from; None is one axis, or those of X.

[CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder] optimizer : \
{"adam", "adamw", "sgd"}
    Optimizer of the weights.
[CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder] max_iter : int
    Number of epochs, at most if there is a ``tol``.
[CodebookTransformer, Crosscoder, Transcoder] learning_rate : float
    Step size of the optimizer.
[SparseAutoencoder] learning_rate : float or "auto"
    Step size of the optimizer. "auto" is half of the inverse root of the number of steps, 0.001 to
    0.02; 0.01 where they are not known, and at most that where a training goes on.
[CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder] tol : float or None
    Smallest decrease of the loss that counts as an improvement; None never stops early, so that
    schedules come to their end.
[CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder] random_state : int, RandomState \
instance or None
    Source of the initial weights and the order of the cases. Pass an int for the same model every
    time.
[CodebookTransformer, Crosscoder, SparseAutoencoder, Transcoder] dtype : {"float32", "float64"}
    Precision of the training. Codes are computed in the precision of their input.
[HopfieldPoolingClassifier, HopfieldPoolingRegressor] alpha : float or "auto"
    Strength of the L2 penalty on the weights; it is divided by the number of samples (the total of
    their weights) when added to the mean loss, as scikit-learn's networks do. "auto" is 10 for the
    embedding "features" and 2 for the others.
[HopfieldClassifier, HopfieldRegressor] alpha : float or "auto"
    Strength of the L2 penalty that draws what is learned back to where it began; it is divided by
    the number of samples (the total of their weights) when added to the mean loss. "auto" is 30 for
    "projected" and 1 for "prototypes".
[KANClassifier, KANRegressor] alpha : float or "auto"
    Strength of the L2 penalty on the weights; it is divided by the number of samples (the total of
    their weights) when added to the mean loss, as scikit-learn's networks do. "auto" is set by the
    data with ``optimizer="lm"`` [4]_, is 0 with "lbfgs" and 2 with the others, where in ``fit``
    edges in layers of more than 16 inputs are penalized more, straight ones least.
[KANClassifier, KANRegressor] optimizer : {"auto", "adam", "adamw", "sgd", \
"lbfgs", "lm"}
    Optimizer. "lm" is Levenberg-Marquardt [4]_, for up to 5000 weights: small networks, high
    precision, penalties set by the data. It finds its own step size, takes ``tol`` as a part of the
    loss, and lets validation data, where ``early_stopping`` has them, choose the damping of each
    step. It and "lbfgs" use the full batch. "auto" is "lm" where that takes seconds (20 steps of at
    most 3e10 multiply-adds in all), the table is not too wide for its rows (at most two weights of
    an additive model for each), and neither ``lamb``, ``batch_size``, ``dtype="float32"``, a
    ``learning_rate`` of your own nor a basis with learned shapes excludes it; else "adam" from the
    best linear function, with batches that grow with the rows.
[KANClassifier, KANRegressor] learning_rate_schedule : {"auto", "constant", "cosine", \
"exponential", "one_cycle", "plateau"}
    How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the loss
    no longer falls, and stops only when that no longer helps. "auto" is "cosine" where
    ``optimizer="auto"`` chose "adam", else "constant".
[KANClassifier, KANRegressor] dtype : {"auto", "float32", "float64"}
    Precision of the training; "auto" is float64 with "lm" and "lbfgs", else float32. Predictions
    are computed in the precision of their input.
[NeuralODEClassifier, NeuralODERegressor] alpha : float or "auto"
    Strength of the L2 penalty on the weights; it is divided by the number of samples (the total of
    their weights) when added to the mean loss, as scikit-learn's networks do. "auto" lets held-out
    rows choose it; it is 2 in ``partial_fit``, which has too few of them, and if ``max_iter`` is
    below 60, which is too few to tell.
[NeuralODE] n_iter_no_change : int or "auto"
    Epochs without improvement after which training stops; "auto" is sixty passes over the data: 3
    epochs of "lbfgs", 60 of the other optimizers.
"""


# A name, its kinds of values, perhaps on two lines; its default, perhaps on the second; and words.
ENTRY = re.compile(
    r"^(?P<indent> {4})(?P<name>\w+) : (?:[^\n\\]|\\\n)*?"
    r"(?:, (?:\\\n +)?default=(?P<default>.*))?\n"
    r"(?:(?: {8}.*)?\n)+?(?= {4}\w|\n)",
    flags=re.MULTILINE,
)


def table():
    """Map (class or None, parameter) to its kinds of values and its words."""
    found = {}
    for entry in re.split(r"\n(?=\S)", WORDS.strip()):
        head, words = entry.split("\n", 1)
        classes, name, kinds = re.fullmatch(r"(?:\[(.*?)\] )?(\w+) : (.*)", head).groups()
        for cls in classes.split(", ") if classes else [None]:
            found[cls, name] = kinds, " ".join(words.split())
    return found


def renewed(docstring, cls, words):
    """Return a docstring with the words of the table in its entries of shared parameters."""

    def entry(match):
        indent, name = match["indent"], match["name"]
        default = f", default={match['default']}" if match["default"] else ""
        if not (kinds := words.get((cls, name)) or words.get((None, name))):
            return match[0]
        head = textwrap.wrap(f"{indent}{name} : {kinds[0]}{default}", 98)
        body = textwrap.fill(kinds[1], 100, initial_indent=indent + "    ",
                             subsequent_indent=indent + "    ", break_on_hyphens=False)  # fmt: skip
        lines = f" \\\n{indent}        ".join(head)
        return f"{lines}\n{body}\n"

    return ENTRY.sub(entry, docstring)


def renewed_files():
    """Map each file with a trained estimator to its text with the present words."""
    words, texts = table(), {}
    for name, cls in all_estimators():
        if not issubclass(cls, TorchEstimator):
            continue
        path = Path(inspect.getsourcefile(cls))
        text = texts.get(path) or path.read_text(encoding="utf-8")
        start = text.index('"""', text.index(f"\nclass {name}("))
        start = text.index("    Parameters\n", start)
        end = text.index("\n    Attributes\n", start)
        texts[path] = text[:start] + renewed(text[start:end], name, words) + text[end:]
    return texts


if __name__ == "__main__":
    for path, text in renewed_files().items():
        path.write_text(text, encoding="utf-8")
