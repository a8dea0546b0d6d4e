"""Settings that must hold before the first import of scikit-learn, scipy, torch or matplotlib."""

import gc
import os
import resource
import unittest
import warnings
from collections import Counter

# scipy reads it on import; scikit-learn's array API checks need it.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")
# Workers of pytest-xdist, and what they start, must not fight over the cores they each count.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

# Importing and dealing out makes a million objects that stay.
gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread():
    """Keep the workers of pytest-xdist from sharing the cores they each count as theirs."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heard():
    """Take interrupts as Python does: what a shell starts in the background ignores them."""
    from skdyn._time_limit import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def same_luck_every_time():
    """Seed what a test leaves to chance (first weights of a bare module, ``random_state=None``).

    A test that passes passes again, alone or in company; xdist deals them out anew at every run.
    """
    _seed()


def _seed():
    import numpy as np
    import torch

    np.random.seed(0)  # noqa: NPY002  (the generator behind random_state=None)
    # torch.manual_seed keeps the call stack of each call for a CUDA that never comes.
    torch.default_generator.manual_seed(0)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(0)


# -- many questions in one test -----------------------------------------------------------------


@pytest.fixture
def ask_all():
    """Return a function that asks many questions and raises all that failed, each by its name.

    Thousands of small tests cost more to deal out than to ask. Each question starts as a test of
    its own would, and those after one that failed are asked all the same.
    """
    return _ask_all


def _ask_all(questions, expected_to_fail=()):
    failures = {}
    for name, question in questions:
        error = _failure_of(question, fails=name in expected_to_fail)
        if error is not None:
            error.add_note(f"asked by {name}")
            failures[f"{name} ({len(failures) + 1})"] = error
    if failures:
        raise ExceptionGroup(f"failed: {', '.join(failures)}", list(failures.values()))


def _failure_of(question, fails):
    """Ask as a test of its own would be; return the error, or that an expected one is missing."""
    _seed()
    with warnings.catch_warnings():
        try:
            question()
        except (unittest.SkipTest, pytest.skip.Exception) as reason:
            print(f"left out: {reason}")
        except Exception as error:
            return None if fails else error
        else:
            return AssertionError("it is expected to fail, and passed") if fails else None
    return None


# -- what is dealt out ---------------------------------------------------------------------------


def pytest_collection_finish():
    """Let the garbage collector leave alone what is there to the end: torch and all tests."""
    gc.collect()
    gc.freeze()


_LONG_RUNS = ("seeds", "defaults")  # markers of whole files; pyproject.toml leaves them out


def pytest_ignore_collect(collection_path, config):
    """Leave unread what the run leaves out: dealing out its thousands of tests takes seconds."""
    name = collection_path.stem.removeprefix("test_")
    return (name in _LONG_RUNS and f"not {name}" in config.option.markexpr) or None


# -- CPU seconds --------------------------------------------------------------------------------


def pytest_addoption(parser):
    """Add the option that tells how many CPU seconds the tests of each estimator take."""
    parser.addoption(
        "--cpu-seconds", action="store_true", help="list the CPU seconds of each estimator's tests"
    )


def cpu_seconds():
    """CPU seconds of this process and of those it started and saw end, user and system."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Note what a test took beside the estimator it is about; reports carry it to the end."""
    start = cpu_seconds()
    try:
        return (yield)
    finally:
        given = getattr(item, "callspec", None)
        for name in {"estimator", "thing"} & set(given.params if given else ()):
            about = type(given.params[name]).__name__
            item.user_properties.append(("cpu_seconds", (about, cpu_seconds() - start)))


def pytest_terminal_summary(terminalreporter, config):
    """Tell the CPU seconds of the run, and with ``--cpu-seconds`` those of each estimator."""
    if config.getoption("--cpu-seconds"):
        for name, seconds in _by_estimator(terminalreporter).most_common():
            terminalreporter.write_line(f"{seconds:8.2f} CPU seconds  {name}")
    terminalreporter.write_line(f"{cpu_seconds():.0f} CPU seconds in all, user and system")


def _by_estimator(terminalreporter):
    total = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for name, value in report.user_properties:
                    if name == "cpu_seconds":
                        total[value[0]] += value[1]
    return total
