"""A real object store on this machine, which speaks S3 over HTTP and fails when it is told to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

BUCKET = "gaze-lab"
REFUSED = (
    "<?xml version='1.0' encoding='UTF-8'?>"
    "<Error><Code>{code}</Code><Message>as the test wants</Message></Error>"
)
CODES = {403: ("403 Forbidden", "AccessDenied"), 503: ("503 Unavailable", "ServiceUnavailable")}


@dataclass
class Faults:
    """What the store answers in place of what it holds.

    ``status`` to requests of ``method`` whose path holds ``path``, so many ``times``.
    """

    status: int = 0
    method: str = ""
    path: str = ""
    times: int = 0
    asked: list[str] = field(default_factory=list)

    def takes(self, environ):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.asked.append(f"{method} {path}")
        if self.times and self.path in path and self.method in ("", method):
            self.times -= 1
            return True
        return False


class ObjectStore:
    """The store while it runs: its address, the files in it, its faults."""

    def __init__(self):
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, *_args):
                pass

        self.faults = Faults()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def environment(self):
        return {
            "AWS_ACCESS_KEY_ID": "key-of-the-test",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_MAX_ATTEMPTS": "3",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def _answer(self, environ, start_response):
        if not self.faults.takes(environ):
            return self._moto(environ, start_response)
        # What was sent is read, or the connection breaks before the answer comes.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, code = CODES[self.faults.status]
        body = b"" if environ["REQUEST_METHOD"] == "HEAD" else REFUSED.format(code=code).encode()
        facts = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        start_response(status, facts)
        return [body]

    def client(self):
        import boto3

        names = self.environment
        return boto3.client(
            "s3",
            endpoint_url=names["AWS_ENDPOINT_URL"],
            region_name=names["AWS_DEFAULT_REGION"],
            aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
        )

    def put(self, key, data, bucket=BUCKET):
        self.client().put_object(Bucket=bucket, Key=key, Body=data)

    def get(self, key, bucket=BUCKET):
        return self.client().get_object(Bucket=bucket, Key=key)["Body"].read()

    def names(self, bucket=BUCKET):
        found = self.client().list_objects_v2(Bucket=bucket)
        return [entry["Key"] for entry in found.get("Contents", ())]

    def emptied(self):
        """Return the store with an empty bucket and without faults."""
        self.faults.__init__()
        client = self.client()
        names = [entry["Name"] for entry in client.list_buckets()["Buckets"]]
        if BUCKET not in names:
            client.create_bucket(Bucket=BUCKET)
        for key in self.names():
            client.delete_object(Bucket=BUCKET, Key=key)
        self.faults.asked.clear()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
