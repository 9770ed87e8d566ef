"""The server lets in whoever has its secret, and gives out nothing but what it was told to show."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time

import pytest

from gazetrack.errors import ConfigError
from gradtrack_model.viewer.server import HOST, Viewer


def asked(viewer, path, *, cookie=True, method="GET", **headers):
    connection = http.client.HTTPConnection(HOST, viewer.port, timeout=300)
    if cookie:
        headers["Cookie"] = f"gradtrack-view-{viewer.port}={viewer.secret}"
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer, data


def test_it_listens_to_this_machine_alone(viewer):
    assert viewer._server.server_address[0] == "127.0.0.1"
    assert viewer.url == f"http://127.0.0.1:{viewer.port}/?key={viewer.secret}"
    assert len(viewer.secret) >= 32


@pytest.mark.parametrize("path", ["/", "/api/images", "/pictures/0/image.png", "/page.js"])
def test_without_the_secret_nothing_is_given(viewer, path):
    answer, data = asked(viewer, path, cookie=False)
    assert answer.status == 403
    assert json.loads(data) == {"error": "open the address that gradtrack-view has printed"}
    wrong = f"gradtrack-view-{viewer.port}={viewer.secret[:-1]}x"
    assert asked(viewer, path, cookie=False, Cookie=wrong)[0].status == 403
    assert asked(viewer, f"{path}?key=wrong", cookie=False)[0].status == 403


def test_the_secret_becomes_a_cookie_and_leaves_the_address(viewer):
    answer, _ = asked(viewer, f"/?key={viewer.secret}", cookie=False)
    assert answer.status == 303
    assert answer.headers["Location"] == "/"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_name_of_another_site_is_refused(viewer):
    # A site may let its name lead to 127.0.0.1 once its page is open.
    for host in ("evil.example", f"evil.example:{viewer.port}", "127.0.0.1"):
        assert asked(viewer, "/", Host=host)[0].status == 403
    assert asked(viewer, "/", Host=f"localhost:{viewer.port}")[0].status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/page/../server.py",
        "/pictures/0/../../../etc/passwd",
        "/pictures/99/image.png",
        "/pictures/-1/image.png",
        "/pictures/0/level-9.png",
        "/pictures/0/level-0.png",
        "/pictures/0/nothing.png",
        "/pictures/0/image.png/x",
        "/api/images/99",
        "/api/images/99999999999",
        "/api/images/0/prediction/x",
    ],
)
def test_what_is_not_there_is_not_there(viewer, path):
    answer, data = asked(viewer, path)
    assert answer.status == 404
    assert json.loads(data) == {"error": "there is no such thing"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_taken(viewer, method):
    assert asked(viewer, "/api/images", method=method)[0].status == 501


def test_every_answer_keeps_browsers_from_asking_anybody_else(viewer):
    for path in ("/", "/page.css", "/api/images", "/pictures/0/image.png", "/nothing"):
        headers = asked(viewer, path)[0].headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; img-src 'self'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Python" not in headers["Server"]


def test_a_damaged_image_is_told_and_its_neighbours_are_shown(viewer):
    answer, data = asked(viewer, "/pictures/5/image.png")
    assert answer.status == 422
    assert "zz.png: cannot be read as an image" in json.loads(data)["error"]
    answer, data = asked(viewer, "/pictures/4/image.png")
    assert answer.status == 200
    assert data.startswith(b"\x89PNG")


def test_a_port_that_is_taken_is_said():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} .* choose another --port"):
            Viewer(None, port)


def test_what_is_no_address_is_told(viewer, capfd):
    request = f"GET http://[x HTTP/1.1\r\nHost: {HOST}:{viewer.port}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((HOST, viewer.port), timeout=300) as one:
        one.sendall(request.encode())
        answer = one.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"error": "that is no address"}')
    assert capfd.readouterr().err == ""


def test_a_page_that_is_closed_is_no_news(viewer, capfd):
    request = f"GET / HTTP/1.1\r\nHost: {HOST}:{viewer.port}\r\n"
    for sent in (request, f"{request}\r\n" * 50):
        with socket.create_connection((HOST, viewer.port)) as one:
            one.sendall(sent.encode())
            time.sleep(0.1)  # until it is read from
            # To linger for no time resets the connection.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.2)
    assert asked(viewer, "/")[0].status == 200
    assert capfd.readouterr().err == ""


def test_other_errors_are_not_hidden(viewer, capsys):
    try:
        int("a mistake of ours")
    except ValueError:
        viewer._server.handle_error(None, (HOST, 1))
    assert "a mistake of ours" in capsys.readouterr().err
