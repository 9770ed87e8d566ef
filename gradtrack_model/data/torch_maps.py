"""Track maps in PyTorch: batched, on any device, differentiable in the positions.

Slower than the numba kernels on a CPU; made for a GPU that holds images and gaze anyway, and to
learn where gaze was. `gazetrack.maps.kinds` says what each kind of map is.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

import torch

from gazetrack.errors import ConfigError
from gazetrack.maps.quadrature import LONGEST, NODES_AT_LEAST, NODES_PER_SIGMA, unit_rules

if TYPE_CHECKING:
    from torch import Tensor

    from gazetrack.maps.parameters import MapParams

BLURRED = ("density", "heatmap")
KINDS = ("tube", "disc", "gaussian", "linear", *BLURRED)
_MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE = 0.25, 4.0


class _Lines(NamedTuple):
    """Tracks as lines from fixation to fixation, with zeros for what fills up shorter ones.

    Parameters
    ----------
    x, y : Tensor, shape (B, N)
        Fixations in pixels of the map.
    duration_ms : Tensor, shape (B, N)
        How long each fixation lasted, in ms.
    joined : Tensor of bool, shape (B, N)
        Whether a line goes on from a fixation to the next one.
    member : Tensor of bool, shape (B, L, N)
        Whether a fixation is one of a level.
    """

    x: Tensor
    y: Tensor
    duration_ms: Tensor
    joined: Tensor
    member: Tensor


def render_tracks(
    x: Tensor,
    y: Tensor,
    duration_ms: Tensor,
    firsts: Tensor,
    size: tuple[int, int],
    *,
    params: MapParams,
    scale: Tensor | None = None,
    points: int | None = None,
) -> Tensor:
    """Render tracks at every level.

    Parameters
    ----------
    x, y, duration_ms : Tensor, shape (B, N)
        Cleaned fixations in pixels of the map, in temporal order; NaN durations fill shorter tracks
        up at their end.
    firsts : Tensor of int, shape (B, L)
        First fixation of each level: level l is the suffix from there on.
    size : (height, width)
        Size of the maps in pixels.
    params : MapParams
        Kind and lengths of the maps; lengths are shares of sqrt(height x width).
    scale : Tensor, shape (B,), optional
        Factor of all lengths of each track, as for tracks that were zoomed.
    points : int, optional
        The most points on all lines of a track, for blurred kinds, where no track is known to have
        more; a GPU is asked, and waited for, otherwise.

    Returns
    -------
    Tensor, shape (B, L, H, W)
        In [0, 1]; zeros where a level has no fixation. Gradients flow to `x` and `y`.

    Raises
    ------
    ConfigError
        A kind that is not rendered here.
    """
    if params.kind not in KINDS:
        hint = f"use one of {', '.join(KINDS)}"
        raise ConfigError(f"map kind {params.kind!r} on a device", hint=hint)
    known = duration_ms.isfinite()
    # Zeros for what fills up: NaN would spread through all that is computed of it.
    x, y, duration_ms = (torch.where(known, v, torch.zeros_like(v)) for v in (x, y, duration_ms))
    zoom = x.new_ones(len(x), 1) if scale is None else scale[:, None]
    s = math.sqrt(size[0] * size[1]) * zoom  # [B, 1]
    order = torch.arange(x.shape[1], device=x.device)
    member = known[:, None] & (order >= firsts[..., None])  # [B, L, N]
    joined = torch.zeros_like(known)  # [B, N]: whether a line goes on to the next fixation
    if params.kind not in ("disc", "heatmap"):
        step = torch.hypot(x[:, 1:] - x[:, :-1], y[:, 1:] - y[:, :-1])
        joined[:, :-1] = known[:, 1:] & known[:, :-1] & (step <= params.max_saccade * s)
    lines = _Lines(x, y, duration_ms, joined, member)
    if params.kind in BLURRED:
        sigma = params.blur * s
        return _blurred(_dwell(lines, sigma, points), size, params, sigma)
    radius = torch.zeros_like(x)
    if params.kind in ("tube", "disc"):
        radius = _radii(duration_ms, known, params) * s
    distance = _distance(lines, radius, size)  # [B, L, H, W]
    return _of_distance(distance, params, s[..., None, None])


def _of_distance(distance: Tensor, params: MapParams, s: Tensor) -> Tensor:
    """Return the maps of the distance to the line or points; `s` is [B, 1, 1, 1]."""
    if params.kind in ("tube", "disc"):
        return torch.sigmoid(-distance / (params.softness * s))
    if params.kind == "gaussian":
        return torch.exp(-0.5 * (distance / (params.blur * s)) ** 2)
    farthest = distance.amax((2, 3), keepdim=True)
    # Where every pixel lies on the line, D / D_max is 0 / 0 and means 0.
    share = distance / farthest.clamp(min=torch.finfo(distance.dtype).tiny)
    return torch.where(farthest.isfinite(), 1 - share, torch.zeros_like(distance))


def _radii(duration_ms: Tensor, known: Tensor, params: MapParams) -> Tensor:
    """Return the radius at each fixation [B, N], as a share of s.

    Fixations that are longer than the track's median widen the tube where the exponent is not 0.
    """
    radius = torch.full_like(duration_ms, params.radius)
    if params.duration_exponent == 0:
        return radius
    # The median of what is known: sorted, with all that fills up behind it.
    ordered = duration_ms.masked_fill(~known, math.inf).sort(1).values
    count = known.sum(1, keepdim=True).clamp(min=1)
    below = ordered.gather(1, (count - 1) // 2)
    above = ordered.gather(1, count // 2)
    middle = torch.cat([below, above], 1).mean(1, True)
    share = (duration_ms / middle).clamp(_MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE)
    widened = radius * share**params.duration_exponent
    return torch.where(middle > 0, widened, radius)  # a ratio to a median of 0 says nothing


def _distance(lines: _Lines, radius: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the least of (distance to a segment - its radius there) of each level's members.

    The distance is in pixels, [B, L, H, W]. A fixation that is joined to none is a segment of
    length 0.
    """
    x, y, joined = lines.x, lines.y, lines.joined
    rows, columns = _centres(size, x)
    x0, y0, r0 = (v[..., None, None] for v in (x, y, radius))  # [B, N, 1, 1] each
    x1, y1, r1 = (torch.where(joined, v.roll(-1, 1), v)[..., None, None] for v in (x, y, radius))
    dx, dy, dr = x1 - x0, y1 - y0, r1 - r0
    rx, ry = columns - x0, rows - y0  # [B, N, 1, W], [B, N, H, 1]
    length2 = dx * dx + dy * dy
    along = (rx * dx + ry * dy) / length2.clamp(min=torch.finfo(x.dtype).tiny)
    along = _nearest_along(along, (rx * dy - ry * dx).abs().detach(), length2.detach(), dr)
    square = (rx - along * dx) ** 2 + (ry - along * dy) ** 2
    # The root's slope at 0 is infinite: a pixel's centre on the line gets no gradient instead of
    # none at all.
    root = torch.where(square > 0, square, torch.ones_like(square)).sqrt()
    away = torch.where(square > 0, root, torch.zeros_like(root)) - r0 - along * dr  # [B, N, H, W]
    far = torch.full_like(away[:, :1], math.inf)
    levels = [torch.where(m[..., None, None], away, far).amin(1) for m in lines.member.unbind(1)]
    return torch.stack(levels, 1)


def _nearest_along(foot: Tensor, across: Tensor, length2: Tensor, dr: Tensor) -> Tensor:
    """Return where along each segment, 0 .. 1, the distance less the radius is least.

    That is beyond the foot where the radius grows; `gazetrack.kernels.distance` says why. What is
    added to the foot gets no gradient: at the least there is none along.
    """
    steep = dr * dr >= length2  # one disc lies in the other
    # Ones in place of what is not used: its square root or quotient would be NaN, and so would the
    # gradients of what is.
    ones = torch.ones_like(length2)
    wide = torch.where(steep, ones, length2 - dr * dr).sqrt()
    tilt = dr / (wide * torch.where(steep, ones, length2))
    tilt = torch.where(steep, torch.zeros_like(dr), tilt)
    end = (dr > 0).to(foot.dtype).expand_as(foot)
    return torch.where(steep.expand_as(foot), end, (foot + across * tilt).clamp(0, 1))


def _dwell(lines: _Lines, sigma: Tensor, most: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return points x, y [B, P], and their weights at each level [B, L, P].

    `gazetrack.maps.kinds.density` says which: first the N fixations with the dwell time that stays
    there, then the points along the lines that start at them.
    """
    x, y, duration_ms, joined, member = lines
    before = torch.cat([torch.zeros_like(joined[:, :1]), joined[:, :-1]], 1)
    earlier = torch.cat([torch.zeros_like(member[..., :1]), member[..., :-1]], 2)
    # A level's first fixation has no line before it, [B, L, N].
    starts = ~before[:, None] | (member & ~earlier)
    # On each side without a line, half of the dwell time stays at the fixation.
    sides = starts.to(x.dtype) + (~joined[:, None]).to(x.dtype)
    own = member * sides * (duration_ms / 2)[:, None]
    dx, dy = (torch.where(joined, v.roll(-1, 1) - v, torch.zeros_like(v)) for v in (x, y))
    halves = (duration_ms + duration_ms.roll(-1, 1)) / 2
    time = torch.where(joined, halves, torch.zeros_like(duration_ms))
    line, along, share = _nodes(torch.hypot(dx, dy).detach() / sigma, joined, most)  # [B, M] each
    px = x.gather(1, line) + along * dx.gather(1, line)
    py = y.gather(1, line) + along * dy.gather(1, line)
    # The line from a fixation belongs to the levels of that fixation, [B, L, M].
    of_level = member.gather(2, line[:, None].expand(-1, member.shape[1], -1))
    spread = of_level * (share * time.gather(1, line))[:, None]
    return torch.cat([x, px], 1), torch.cat([y, py], 1), torch.cat([own, spread], 2)


def _nodes(lengths: Tensor, joined: Tensor, most: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return points whose weighted sum stands for an integral along all lines of a track.

    Lengths [B, N] are in standard deviations; `gazetrack.maps.quadrature.pieces_and_nodes` says how
    many points each takes. A point has the line that it lies on, its place there, 0 .. 1, and its
    weight, which is 0 for the points that fill up tracks with fewer of them: three tensors [B, M].
    M is `most`, or, where that is not known, what the device has to be asked for.
    """
    places, shares = _rules(lengths.dtype, lengths.device)
    pieces = torch.ceil(lengths / LONGEST).clamp(min=1).long()
    wanted = torch.ceil(NODES_PER_SIGMA * lengths / pieces).long()
    nodes = NODES_AT_LEAST + wanted.clamp(max=places.shape[1] - 2)
    # The points of a track are counted through: those of a line end where the next one's begin.
    ends = torch.where(joined, pieces * nodes, torch.zeros_like(nodes)).cumsum(1)
    if most is None:
        most = int(ends[:, -1].max().item()) if ends.numel() else 0
    k = torch.arange(most, device=lengths.device).expand(len(ends), -1).contiguous()
    line = torch.searchsorted(ends, k, right=True)  # lines without points have none of these places
    filler = line == ends.shape[1]
    line = line.masked_fill(filler, 0)
    before = torch.where(line > 0, ends.gather(1, (line - 1).clamp(min=0)), torch.zeros_like(line))
    pieces, nodes = pieces.gather(1, line), nodes.gather(1, line)
    piece, node = (k - before) // nodes, (k - before) % nodes
    along = (piece + places[nodes, node]) / pieces
    return line, along, (shares[nodes, node] / pieces).masked_fill(filler, 0.0)


@functools.cache
def _rules(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return `gazetrack.maps.quadrature.unit_rules` on a device, copied there once."""
    places, shares = unit_rules()
    return (
        torch.as_tensor(places, dtype=dtype, device=device),
        torch.as_tensor(shares, dtype=dtype, device=device),
    )


def _blurred(
    points: tuple[Tensor, Tensor, Tensor], size: tuple[int, int], params: MapParams, sigma: Tensor
) -> Tensor:
    """Sum Gaussians at the points of `_dwell`, and scale each level.

    A density is scaled so that its border is at one half, anything else to 0 .. 1.
    """
    x, y, weights = points
    rows, columns = _centres(size, x)
    wide = sigma[..., None]  # [B, 1, 1]
    # A Gaussian is the product of one down the rows and one across the columns.
    down = torch.exp(-0.5 * ((rows.flatten() - y[..., None]) / wide) ** 2)  # [B, P, H]
    across = torch.exp(-0.5 * ((columns.flatten() - x[..., None]) / wide) ** 2)  # [B, P, W]
    total = torch.einsum("blp,bph,bpw->blhw", weights, down, across)
    peak = total.amax((2, 3), keepdim=True)
    if params.kind == "density":
        scaled = torch.sigmoid((total / peak.clamp(min=1e-30) - params.threshold) / params.width)
        return torch.where(peak > 0, scaled, torch.zeros_like(scaled))
    low = total.amin((2, 3), keepdim=True)
    scaled = (total - low) / (peak - low).clamp(min=1e-30)
    return torch.where(peak > low, scaled, torch.zeros_like(total))


def _centres(size: tuple[int, int], like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pixels' centres: [H, 1] and [1, W]."""
    height, width = size
    rows = torch.arange(height, device=like.device, dtype=like.dtype) + 0.5
    columns = torch.arange(width, device=like.device, dtype=like.dtype) + 0.5
    return rows[:, None], columns[None, :]
