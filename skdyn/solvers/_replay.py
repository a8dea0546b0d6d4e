"""Plain backpropagation through the steps that were taken: the reference for every adjoint."""

import torch

__all__ = ["replay"]


def replay(march, field, y0, regularizer):
    """Take the recorded steps again as differentiable torch operations.

    Parameters
    ----------
    march : JointMarch or PerSampleMarch
        A finished march.
    field : callable
        The vector field.
    y0 : tensor of shape (n, d)
        Initial states.
    regularizer : Regularizer or None
        Its weights are fixed already.

    Returns
    -------
    ys : tensor of shape (n, t, d)
        States at the requested times.
    term : tensor of shape () or None
        Regularization.
    found : tensor of shape (m, d) or None
        States at the events of the march.
    """
    y, k = y0, field(march.first_time(), y0)
    out, terms, found, step = {}, [], [], 0
    for chunk in march.rows.sealed:
        for j, span in enumerate(chunk.spans):
            last = march.last_evaluated or step + 1 < march.n_blocks
            rows = march.stepper.replay(_timed(field, y0), span, y, k, last)
            if span.ok is not None:
                rows[-2] = torch.where(span.ok, rows[-2], y)
                rows[-1] = torch.where(span.ok, rows[-1], k)
            march.output.replay(chunk, j, rows, out)
            if march.watch is not None:
                found += march.watch.replay(chunk, j, rows)
            if regularizer is not None:
                values = regularizer.term(torch.stack(rows), span.h)
                terms.append((regularizer.weights[step] * values).sum())
            y, k = rows[-2:]
            step += 1
    ys = march.output.assemble(y0, out)
    seen = march.watch and (torch.cat(found) if found else march.watch.states())
    return ys, torch.stack(terms).sum() if terms else None, seen


def _timed(field, like):
    """The field, taking its time as a float too."""

    def call(t, y):
        return field(torch.as_tensor(t, dtype=like.dtype, device=like.device), y)

    return call
