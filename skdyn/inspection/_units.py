"""Names with their units, as labels of axes."""

from collections.abc import Mapping

__all__ = ["rate_label", "with_unit"]


def with_unit(name: str, units: Mapping[str, str] | None) -> str:
    """Return a name, and its unit in parentheses where it is known.

    Parameters
    ----------
    name : str
        The name.
    units : mapping of str to str, or None
        Units by name.

    Returns
    -------
    str
    """
    unit = (units or {}).get(name)
    return f"{name} ({unit})" if unit else name


def rate_label(words: str, names: list[str], units: Mapping[str, str] | None) -> str:
    """Return what a rate of change is called, with its unit where all agree on one.

    Parameters
    ----------
    words : str
        What it is.
    names : list of str
        What changes.
    units : mapping of str to str, or None
        Units by name; that of "time" divides.

    Returns
    -------
    str
    """
    units = units or {}
    found = {units.get(name) for name in names}
    (unit,) = found if len(found) == 1 else (None,)
    return f"{words} ({unit} / {units['time']})" if unit and units.get("time") else words
