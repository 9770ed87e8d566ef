"""gradtrack-view."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

import click

from . import completing, exit_codes
from . import options as opt
from .examples import examples
from .signals import Stopped

if TYPE_CHECKING:
    from pathlib import Path

_PORT = 8765


@click.command(
    "view",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gradtrack-view images --weights runs/gradtrack --maps maps --open
        # gaze alone, rendered as it is asked for
        gradtrack-view images --fixations tables
        gradtrack-view polyps --weights kvasir-lite --masks masks --port 0
        """
    ),
)
@click.argument("images", type=opt.FILE, metavar="FOLDER|IMAGE")
@click.option(
    "--weights",
    type=opt.FILE,
    multiple=True,
    metavar="RUN|FILE|NAME",
    shell_complete=completing.networks,
    help="Run folder, .safetensors file, or a released network; of several, their mean.",
)
@click.option(
    "--maps", type=opt.FILE, metavar="FILE|DIR", help="Stored maps of gazetrack render or refine."
)
@click.option(
    "--fixations",
    type=opt.FILE,
    multiple=True,
    metavar="FILE|DIR",
    help="Fixation tables; without --maps, maps are rendered of them.",
)
@click.option("--masks", type=opt.FILE, metavar="DIR", help="Reference masks, to be laid over.")
@click.option(
    "--placement",
    metavar="RULE",
    help="Where images lay on the screen, as in gazetrack render: fit, centre, stretch or X,Y,W,H.",
)
@opt.image_size
@opt.threshold
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
@click.option(
    "--onnx",
    type=opt.FILE,
    metavar="FILE",
    help="A network of gradtrack-export that the page computes itself.",
)
@click.option(
    "--onnxruntime-web",
    type=opt.FILE,
    metavar="DIR",
    help="The npm package of that name, which computes it: node_modules/onnxruntime-web.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="Where to listen on this machine; 0 for any port that is free.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@opt.debug_option
def command(
    images: Path,
    weights: tuple[Path, ...],
    maps: Path | None,
    fixations: tuple[Path, ...],
    masks: Path | None,
    placement: str | None,
    image_size: int | None,
    threshold: float | None,
    device: str,
    onnx: Path | None,
    onnxruntime_web: Path | None,
    port: int,
    opens: bool,
) -> int:
    """Show images, their gaze and its levels, and what a network sees, in a page of this machine.

    It listens to 127.0.0.1 alone, and only whoever has the address that it prints is let in.
    Nothing is asked of any other machine, and nothing is written. Ctrl-C ends it.
    """
    from gradtrack_model.verbs.view import view

    viewer = view(
        images,
        list(weights) or None,
        maps=maps,
        fixations=fixations,
        masks=masks,
        placement=placement,
        threshold=threshold,
        image_size=image_size,
        device=device,
        port=port,
        onnx=onnx,
        onnxruntime_web=onnxruntime_web,
    )
    click.echo(f"{len(viewer.content)} images; open {viewer.url} (Ctrl-C ends it)")
    if opens:
        webbrowser.open(viewer.url)
    try:
        viewer.serve()
    except (KeyboardInterrupt, Stopped):  # which is how it is meant to end
        return exit_codes.DONE
    finally:
        viewer.close()
    return exit_codes.DONE
