"""Track Attention: each decoder stage predicts its track map, and sees its features through it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gradtrack_model.network.blocks import NORM_GROUPS, GroupNorm, resize
from gradtrack_model.network.classes import any_class


class TrackAttention(nn.Module):
    """Predict the track map of one stage and refine the stage's features with it.

    With F the features and a' the prediction of the deeper stage::

        a  = conv1(ReLU(GN(conv3(F)))) + alpha * up2(a')     alpha is learned and starts at 0
        F' = F + conv1(F * sigmoid(a))                       this conv1 starts at 0

    so that training starts as the plain U-Net. Of several classes, a has a channel each, and F is
    seen through that of the most likely class: what any of them attends to.

    Parameters
    ----------
    channels : int
        Channels of the features F.
    deepest : bool
        Whether there is no deeper stage: then there is no alpha.
    attend : bool
        Off: the stage is deeply supervised only, a = conv1(ReLU(GN(conv3(F)))) and F' = F, as a
        control.
    classes : int
        Number of track maps, one for each class.
    """

    def __init__(self, channels: int, deepest: bool, attend: bool = True, classes: int = 1) -> None:
        super().__init__()
        self.predict = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 3, padding=1, bias=False),
            GroupNorm(NORM_GROUPS, channels // 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // 2, classes, 1),
        )
        self.attend = attend
        if attend and not deepest:
            self.alpha = nn.Parameter(torch.zeros(1))
        if attend:
            self.refine = nn.Conv2d(channels, channels, 1)
            # From 0: the first steps are those of the plain U-Net, whatever the first tracks are.
            nn.init.zeros_(self.refine.weight)
            if self.refine.bias is not None:
                nn.init.zeros_(self.refine.bias)

    def forward(self, features: Tensor, deeper: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the refined features [B, C, h, w] and the track maps' logits [B, K, h, w].

        Parameters
        ----------
        features : Tensor, shape (B, C, h, w)
            The features of this stage.
        deeper : Tensor, shape (B, K, h', w'), or None
            Logits of the track maps of the deeper stage; None at the deepest one.
        """
        track: Tensor = self.predict(features)
        if not self.attend:
            return features, track
        if deeper is not None:
            track = track + self.alpha * resize(deeper, track)
        attention = torch.sigmoid(any_class(track))
        return features + self.refine(features * attention), track
