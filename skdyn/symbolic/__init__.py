"""Symbolic ODE discovery."""
__all__ = []
