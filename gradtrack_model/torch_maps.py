"""Track maps in PyTorch: batched, on any device, differentiable in the positions. `gazetrack.kinds` says what each is.

Slower than the numba kernels on a CPU; made for a GPU that holds images and gaze anyway, and to learn where gaze was.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from gradtrack_model.config import MapsConfig

KINDS = ("tube", "disc", "gaussian", "linear", "density", "heatmap")
_MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE = 0.25, 4.0


def render_tracks(
    x: Tensor,
    y: Tensor,
    duration_ms: Tensor,
    firsts: Tensor,
    size: tuple[int, int],
    config: MapsConfig,
    scale: Tensor | None = None,
) -> Tensor:
    """Render tracks at every level.

    Parameters
    ----------
    x, y, duration_ms : Tensor, shape (B, N)
        Cleaned fixations in pixels of the map, in temporal order; NaN durations fill shorter tracks up at their end.
    firsts : Tensor of int, shape (B, L)
        First fixation of each level: level l is the suffix from there on.
    size : (height, width)
        Of the maps.
    config : MapsConfig
        Kind and lengths, which are shares of sqrt(height x width).
    scale : Tensor, shape (B,), optional
        Factor of all lengths of each track, as for tracks that were zoomed.

    Returns
    -------
    Tensor, shape (B, L, H, W)
        In [0, 1]; zeros where a level has no fixation. Gradients flow to `x` and `y`.

    Raises
    ------
    ConfigError
        A kind that is not rendered here.
    """
    if config.kind not in KINDS:
        raise ConfigError(f"map kind {config.kind!r} on a device", hint=f"use one of {', '.join(KINDS)}")
    known = duration_ms.isfinite()
    x, y, duration_ms = (torch.where(known, v, torch.zeros_like(v)) for v in (x, y, duration_ms))
    s = math.sqrt(size[0] * size[1]) * (x.new_ones(len(x), 1) if scale is None else scale[:, None])  # [B, 1]
    order = torch.arange(x.shape[1], device=x.device)
    member = known[:, None] & (order >= firsts[..., None])  # [B, L, N]
    joined = torch.zeros_like(known)
    if config.kind not in ("disc", "heatmap"):
        step = torch.hypot(x[:, 1:] - x[:, :-1], y[:, 1:] - y[:, :-1])
        joined[:, :-1] = known[:, 1:] & known[:, :-1] & (step <= config.max_saccade * s)
    if config.kind in ("density", "heatmap"):
        return _blurred(x, y, duration_ms, joined, member, size, config, config.blur * s)
    radius = torch.zeros_like(x)
    if config.kind in ("tube", "disc"):
        radius = _radii(duration_ms, known, config) * s
    distance = _distance(x, y, radius, joined, member, size)  # [B, L, H, W]
    if config.kind in ("tube", "disc"):
        return torch.sigmoid(-distance / (config.softness * s[..., None, None]))
    if config.kind == "gaussian":
        return torch.exp(-0.5 * (distance / (config.blur * s[..., None, None])) ** 2)
    farthest = distance.amax((2, 3), keepdim=True)
    return torch.where(farthest.isfinite(), 1 - distance / farthest, torch.zeros_like(distance))


def _radii(duration_ms: Tensor, known: Tensor, config: MapsConfig) -> Tensor:
    """Return the radius at each fixation, [B, N]: longer fixations widen the tube where the exponent is not 0."""
    radius = torch.full_like(duration_ms, config.radius)
    if config.duration_exponent == 0:
        return radius
    sorted_first = duration_ms.masked_fill(~known, math.inf).sort(1).values
    count = known.sum(1, keepdim=True).clamp(min=1)
    middle = torch.cat([sorted_first.gather(1, (count - 1) // 2), sorted_first.gather(1, count // 2)], 1).mean(1, True)
    share = (duration_ms / middle).clamp(_MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE)
    return radius * share.clamp(min=_MIN_RADIUS_SHARE) ** config.duration_exponent


def _distance(x: Tensor, y: Tensor, radius: Tensor, joined: Tensor, member: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the least (distance to a segment - its radius there) of each level's members, [B, L, H, W]."""
    rows, columns = _centres(size, x)
    ends = [torch.where(joined, v.roll(-1, 1), v)[..., None, None] for v in (x, y, radius)]
    starts = [v[..., None, None] for v in (x, y, radius)]
    dx, dy, dr = (end - start for end, start in zip(ends, starts, strict=True))
    rx, ry = columns - starts[0], rows - starts[1]  # [B, N, 1, W], [B, N, H, 1]
    length2 = dx * dx + dy * dy
    along = ((rx * dx + ry * dy) / length2.clamp(min=torch.finfo(x.dtype).tiny)).clamp(0, 1)
    square = (rx - along * dx) ** 2 + (ry - along * dy) ** 2
    # The root's slope at 0 is infinite: a pixel's centre on the line gets no gradient instead of none at all.
    root = torch.where(square > 0, square, torch.ones_like(square)).sqrt()
    away = torch.where(square > 0, root, torch.zeros_like(root)) - starts[2] - along * dr  # [B, N, H, W]
    far = torch.full_like(away[:, :1], math.inf)
    levels = [torch.where(m[..., None, None], away, far).amin(1) for m in member.unbind(1)]
    return torch.stack(levels, 1)


def _blurred(
    x: Tensor,
    y: Tensor,
    duration_ms: Tensor,
    joined: Tensor,
    member: Tensor,
    size: tuple[int, int],
    config: MapsConfig,
    sigma: Tensor,
) -> Tensor:
    """Sum dwell time as Gaussians along the track, and scale each level: calibrated for a density, to 0 .. 1 else."""
    rows, columns = _centres(size, x)
    dx, dy = (torch.where(joined, v.roll(-1, 1) - v, torch.zeros_like(v)) for v in (x, y))
    dwell = (duration_ms + torch.where(joined, duration_ms.roll(-1, 1), duration_ms)) / 2
    n = 1 + torch.ceil(torch.hypot(dx, dy).detach() / sigma)  # [B, N]: points at most sigma apart
    k = torch.arange(int(n.max().item()) if n.numel() else 1, device=x.device)
    share = (k + 0.5) / n[..., None]  # [B, N, M]
    weight = torch.where(k < n[..., None], (dwell / n)[..., None], torch.zeros_like(share))
    px, py = (v[..., None] + share * d[..., None] for v, d in ((x, dx), (y, dy)))
    wide = sigma[..., None]  # [B, 1, 1]
    down = torch.exp(-0.5 * ((rows.flatten() - py.flatten(1)[..., None]) / wide) ** 2)  # [B, N M, H]
    across = torch.exp(-0.5 * ((columns.flatten() - px.flatten(1)[..., None]) / wide) ** 2)  # [B, N M, W]
    weights = (member[..., None] * weight[:, None]).flatten(2)  # [B, L, N M]
    total = torch.einsum("blp,bph,bpw->blhw", weights, down, across)
    peak = total.amax((2, 3), keepdim=True)
    if config.kind == "density":
        scaled = torch.sigmoid((total / peak.clamp(min=1e-30) - config.threshold) / config.width)
        return torch.where(peak > 0, scaled, torch.zeros_like(scaled))
    low = total.amin((2, 3), keepdim=True)
    return torch.where(peak > low, (total - low) / (peak - low).clamp(min=1e-30), torch.zeros_like(total))


def _centres(size: tuple[int, int], like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pixels' centres: [H, 1] and [1, W]."""
    rows, columns = (torch.arange(n, device=like.device, dtype=like.dtype) + 0.5 for n in size)
    return rows[:, None], columns[None, :]
