"""The verb and the command: a page without a network, and one that ends as it is asked to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import webbrowser

import pytest
from click.testing import CliRunner

import gradtrack_model
from gazetrack.errors import CheckpointError, InputError
from gazetrack_cli.signals import Stopped
from gazetrack_cli.view import command
from gradtrack_model.viewer.server import Viewer


def test_gaze_alone(study):
    viewer = gradtrack_model.view(study / "images", fixations=study, port=0)
    try:
        facts = viewer.content.facts(0)
        assert (facts["network"], len(facts["levels"])) == (False, 4)
        assert facts["tracks"]
        with pytest.raises(KeyError):
            viewer.content.picture(0, "mask")
    finally:
        viewer.close()


def test_what_is_missing_is_said(study, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        gradtrack_model.view(tmp_path / "none", port=0)
    with pytest.raises(CheckpointError, match="no such run"):
        gradtrack_model.view(study / "images", tmp_path / "none", port=0)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, Stopped])
def test_the_command_says_where_and_gives_the_port_back(study, monkeypatch, ending):
    opened, closed = [], []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(Viewer, "serve", lambda self: (_ for _ in ()).throw(ending))
    monkeypatch.setattr(Viewer, "close", lambda self: closed.append(self._server.server_close()))
    words = [str(study / "images"), "--fixations", str(study), "--port", "0", "--open"]
    done = CliRunner().invoke(command, words, standalone_mode=False)
    assert done.return_value == 0
    assert done.stdout == f"8 images; open {opened[0]} (Ctrl-C ends it)\n"
    assert len(closed) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("interrupts_are_heeded")
def test_the_command_prints_an_address_and_ends_by_ctrl_c(study):
    code = "from gazetrack_cli.start import view; view()"
    command = [sys.executable, "-c", code, str(study / "images"), "--fixations", str(study)]
    done = subprocess.Popen(
        [*command, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        line = done.stdout.readline()
        found = re.fullmatch(
            r"8 images; open (http://127\.0\.0\.1:\d+/\?key=\S+) \(Ctrl-C ends it\)\n", line
        )
        assert found, line + done.stderr.read() if done.poll() is not None else line
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(found[1], timeout=300) as answer:
            assert "Images, gaze and prediction" in answer.read().decode()
        done.send_signal(signal.SIGINT)
        assert done.wait(300) == 0
        assert done.stderr.read() == ""
    finally:
        done.kill()
        done.communicate()
