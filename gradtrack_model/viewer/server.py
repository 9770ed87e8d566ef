"""A server for one person on this machine.

It listens to 127.0.0.1 alone, reads nothing but what `Content` was given, and writes nothing. An
address holds a secret, which a browser keeps as a cookie: other users of the machine, and pages of
other sites, are refused. A request names an image by its number: no path of a file comes from
outside. The page loads nothing from anywhere else, and its own policy (CSP) forbids it to.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from gazetrack.errors import ConfigError, GazetrackError

if TYPE_CHECKING:
    from gradtrack_model.viewer.content import Content

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
_PAGE = Path(__file__).with_name("page")
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_FACTS = re.compile(r"/api/images/(\d{1,7})(/prediction)?")
_PICTURE = re.compile(r"/pictures/(\d{1,7})/([a-z]+(?:-\d{1,3})?)\.png")
_RUNTIME = re.compile(r"/onnx/([a-z0-9.-]{1,60})")
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'{}; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# What a page that computes a network itself may do besides: compile WebAssembly.
_WASM = " 'wasm-unsafe-eval'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Images of people stay in no cache of a browser.
    "Cache-Control": "no-store",
}


class Viewer:
    """A running server, which answers from `serve` on.

    Parameters
    ----------
    content : Content
        All that can be asked for.
    port : int
        Where to listen; 0 for any port that is free.

    Raises
    ------
    ConfigError
        The port is taken.
    """

    def __init__(self, content: Content, port: int = DEFAULT_PORT) -> None:
        self.content = content
        self.secret = secrets.token_urlsafe(24)
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as error:
            what = f"port {port} of this machine cannot be listened to"
            raise ConfigError(what, hint="choose another --port, or 0 for a free one") from error
        self._server.viewer = self

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address to open, with the secret in it."""
        return f"http://{HOST}:{self.port}/?key={self.secret}"

    def serve(self) -> None:
        """Answer until `stop` is called, or an exception such as that of a signal comes."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End `serve`, which runs in another thread."""
        self._server.shutdown()

    def close(self) -> None:
        """Give the port back."""
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Another server on the same port would get this one's visitors.
    allow_reuse_port = False
    viewer: Viewer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a page that was closed while it was answered."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "gazetrack"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """Answer a request."""
        try:
            address = urlsplit(self.path)
        except ValueError:
            self._tell(HTTPStatus.BAD_REQUEST, "that is no address")
            return
        if not self._is_ours():
            self._tell(HTTPStatus.FORBIDDEN, "open the address that gradtrack-view has printed")
            return
        if not self._has_cookie():
            self._welcome(address.path, parse_qs(address.query).get("key", [""])[0])
            return
        try:
            self._answer(address.path)
        except (KeyError, IndexError):
            self._tell(HTTPStatus.NOT_FOUND, "there is no such thing")
        except GazetrackError as error:
            self._tell(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: names of images are nobody else's business."""

    def _answer(self, path: str) -> None:
        content = self.server.viewer.content
        if path in _FILES:
            name, kind = _FILES[path]
            self._send((_PAGE / name).read_bytes(), kind)
        elif path == "/api/images":
            self._send_json(content.listing())
        elif match := _RUNTIME.fullmatch(path):
            if content.in_browser is None:
                raise KeyError(path)
            read, kind = content.in_browser.file(match[1])
            self._send(read(), kind)
        elif match := _FACTS.fullmatch(path):
            ask = content.seen if match[2] else content.facts
            self._send_json(ask(int(match[1])))
        elif match := _PICTURE.fullmatch(path):
            self._send(content.picture(int(match[1]), match[2]), "image/png")
        else:
            raise KeyError(path)

    def _is_ours(self) -> bool:
        """Whether the request names this machine: a name of another site could lead here, too."""
        port = self.server.viewer.port
        return self.headers.get("Host") in (f"{HOST}:{port}", f"localhost:{port}")

    def _has_cookie(self) -> bool:
        try:
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
        except CookieError:
            return False
        held = cookies.get(self._cookie)
        return held is not None and self._is_secret(held.value)

    @property
    def _cookie(self) -> str:
        # Cookies know no ports: two viewers at once keep theirs apart by the name.
        return f"gradtrack-view-{self.server.viewer.port}"

    def _is_secret(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self.server.viewer.secret.encode())

    def _welcome(self, path: str, key: str) -> None:
        """Give the cookie to whoever has the secret, and take the secret out of the address."""
        if path != "/" or not self._is_secret(key):
            self._tell(HTTPStatus.FORBIDDEN, "open the address that gradtrack-view has printed")
            return
        cookie = f"{self._cookie}={self.server.viewer.secret}; HttpOnly; SameSite=Strict; Path=/"
        self._send(b"", "text/plain", HTTPStatus.SEE_OTHER, {"Location": "/", "Set-Cookie": cookie})

    def _tell(self, status: HTTPStatus, text: str) -> None:
        data = json.dumps({"error": text}, ensure_ascii=True).encode()
        self._send(data, "application/json", status)

    def _send_json(self, value: Any) -> None:
        self._send(json.dumps(value, allow_nan=False).encode(), "application/json")

    def _send(
        self,
        data: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        wasm = _WASM if self.server.viewer.content.in_browser is not None else ""
        policy = {"Content-Security-Policy": _POLICY.format(wasm)}
        for name, value in {**policy, **_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(data)
        except ConnectionError:  # the page has gone on to another image
            self.close_connection = True
