"""A server on this machine that publishes a made-up data set, whole, cut off, or not at all."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gazetrack.datasets.dataset import DataFile, DataSet
from tests.public_tables import BY_LAYOUT


class Shop:
    """What the server has and was asked for.

    Attributes
    ----------
    files : dict of str to bytes
        What there is, by its name in the address.
    asked : list of (str, str or None)
        The names and the ``Range`` of all requests.
    breaks_after : int or None
        After how many bytes of an answer it hangs up.
    ranges : bool
        Whether it goes on where it is asked to.
    """

    def __init__(self):
        self.files, self.asked = {}, []
        self.breaks_after, self.ranges = None, True
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name, asked = self.path.strip("/"), self.headers.get("Range")
                shop.asked.append((name, asked))
                if name not in shop.files:
                    self.send_error(404)
                    return
                data = shop.files[name]
                start = int(asked.split("=")[1].rstrip("-")) if asked and shop.ranges else 0
                if start and start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                self.wfile.write(data[start:][: shop.breaks_after])

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # It looks so often, in seconds, whether it is to close.
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def publish(self, name, data, **facts):
        """Put a file into the shop, and return what is known of it."""
        self.files[name] = data
        facts = {"md5": hashlib.md5(data).hexdigest(), "content": "gaze"} | facts  # noqa: S324
        return DataFile(url=self.url(name), name=name, layouts=("gazebase",), **facts)


def zipped(files):
    """The bytes of a zip with these files: texts, bytes, or dicts for archives within it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, zipped(content) if isinstance(content, dict) else content)
    return buffer.getvalue()


def toy_archive():
    """As GazeBase is packed: archives of participants within one of all."""
    gaze = BY_LAYOUT["gazebase"].text
    return zipped(
        {
            "Round_1/Subject_1001.zip": {
                "S1/S_1001_S1_FXS.csv": gaze,
                "S1/S_1001_S1_TEX.csv": gaze,
            },
            "Round_1/Subject_1002.zip": {"S1/S_1002_S1_TEX.csv": gaze},
            "__MACOSX/._junk": "x",
            "README.txt": "hello",
        }
    )


def toy(shop, **more):
    """A made-up data set of the shop: an archive of gaze, and a table of fixations."""
    archive = shop.publish("toy.zip", toy_archive(), **more)
    table = shop.publish("fix.csv", b"a,b\n1,2\n", content="fixations")
    return DataSet(
        name="toy",
        title="Toy set",
        about="nobody looking at nothing",
        home="https://example.org/toy",
        citation="Nobody (2026)",
        licence="CC0",
        files=(archive, table),
    )
