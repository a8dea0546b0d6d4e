"""What importing the package, and fitting with it, loads: asked of fresh interpreters."""

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import skdyn
from skdyn.symbolic import EquationSystem

REPOSITORY = Path(__file__).parents[1]


def loaded_after(*statements, where=REPOSITORY):
    """Names of the modules that a fresh interpreter holds after each of the statements in turn."""
    told = "; print(*sorted(set(sys.modules) - old))"
    first = f"import sys; sys.path[:1] = [{str(where)!r}]; old = set(sys.modules)"
    code = "\n".join([first, *(line + told for line in statements)])
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [line.split() for line in run.stdout.splitlines()]


@pytest.fixture
def frozen(tmp_path):
    """The package as a zip of compiled files alone, without its sources."""
    packed = zipfile.PyZipFile(tmp_path / "frozen.zip", "w", optimize=0)
    with packed:
        packed.writepy(Path(skdyn.__file__).parent)
        for name in (Path(skdyn.__file__).parent / "datasets" / "data").iterdir():
            packed.write(name, f"skdyn/datasets/data/{name.name}")
    return tmp_path / "frozen.zip"


# No compiler, no algebra and no pictures, whatever is fitted by whichever optimizer.
FITS = """
import warnings
from skdyn.base import TorchEstimator
from skdyn.testing import all_estimators, quick_instance
from skdyn.testing._probe import sample_to_sketch
from skdyn.training._optimizers import OPTIMIZERS

warnings.simplefilter("ignore")
networks = [cls for _, cls in all_estimators() if issubclass(cls, TorchEstimator)]
assert len(networks) > 15
models = [quick_instance(cls, max_iter=1) for cls in networks]
models += [skdyn.HopfieldRegressor("projected", optimizer=name, max_iter=1) for name in OPTIMIZERS]
for model in [*models, skdyn.KANRegressor(optimizer="lm", max_iter=1)]:
    model.fit(*sample_to_sketch(model))
    heavy = {"torch._dynamo", "torch._inductor", "sympy", "matplotlib"} & set(sys.modules)
    assert not heavy, f"{model} imported {sorted(heavy)}"
"""


def test_importing_and_fitting_are_light(frozen):
    """One interpreter for all, lightest first: what is not there later was not there before.

    It has no sources to read: the package is a zip of compiled files.
    """
    system = pickle.dumps(EquationSystem(["x * sin(w) - y / 3", "-x"], ["x", "y"], ["w"]))
    package, shapes, data, libraries, kernels, equations, memories, file, whole, _ = loaded_after(
        "import skdyn; dir(skdyn)",
        "import skdyn._typing",
        "import skdyn.datasets, skdyn.metrics",
        "import skdyn.symbolic.libraries",
        "import skdyn.kernels",
        f"import skdyn.symbolic._equations, pickle; pickle.loads({system!r})",
        "import skdyn.hopfield",
        "[getattr(skdyn, name) for name in skdyn.__all__]; skdyn.datasets.load_lynx_hare(); "
        "print(skdyn.__file__)",
        f"exec({FITS!r})",
        where=frozen,
    )
    assert file == [str(frozen / "skdyn" / "__init__.pyc")]
    folders = {init.parent.name for init in (REPOSITORY / "skdyn").glob("*/__init__.py")}
    assert {f"skdyn.{name}" for name in folders - set(skdyn._FLOORS)} <= set(whole)
    roots = {name.split(".")[0] for name in package}
    assert not roots & {"torch", "sklearn", "numpy", "scipy", "pandas", "joblib", "matplotlib"}
    # 29 when written, all of the standard library; torch and scikit-learn would add a thousand.
    assert len(package) < 60
    assert "skdyn._typing" in shapes
    assert "skdyn.datasets" in data
    assert "skdyn.symbolic.libraries" in libraries
    assert "skdyn.kernels" in kernels
    assert not {"torch", "sympy"} & {*shapes, *data, *libraries, *kernels}
    assert "skdyn.symbolic._system" in equations
    assert "sympy" not in equations
    assert "skdyn.hopfield" in memories
    assert "faiss" not in memories


def test_formulas_load_neither_torch_nor_sympy_nor_scikit_learn():
    (loaded,) = loaded_after("import skdyn.formulas; skdyn.formulas.on_arrays('2 x', {'x': 1.0})")
    assert "skdyn.formulas" in loaded
    assert not {name.split(".")[0] for name in loaded} & {"torch", "sympy", "sklearn"}
