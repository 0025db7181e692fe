"""A receiver that verifies with the providers' Python packages, and that signs for the driver.

The twin of worker.mjs, which lists the requests. Run by drive.mjs with the gateway's URL; prints "ready PORT".
"""

import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from providers import PROVIDERS, Delivery, Provider

GATEWAY = sys.argv[1]
LOCK = threading.Lock()


class Route:
    def __init__(self, entry: Provider) -> None:
        self.entry = entry
        self.url = f"{GATEWAY}/python-{entry.name}"
        self.seen = 0
        self.verified = 0
        self.fail = False
        self.last: dict[str, Any] | None = None


ROUTES = {entry.name: Route(entry) for entry in PROVIDERS}


def judge(route: Route, it: Delivery) -> tuple[bool, str]:
    try:
        valid = bool(route.entry.verify(route.entry.secret, it))
        return valid, "" if valid else "the package says no"
    except Exception as error:  # noqa: BLE001 - each package refuses with exceptions of its own
        return False, f"{type(error).__name__}: {error}"


def receive(route: Route, it: Delivery) -> tuple[int, Any]:
    valid, why = judge(route, it)
    with LOCK:
        route.seen += 1
        route.verified += valid
        route.last = {"headers": it.headers, "method": it.method}
        fail, route.fail = route.fail, False
    if not valid:
        print(f"python {route.entry.name}: not verified: {why}", file=sys.stderr, flush=True)
    if fail:
        return 500, {"why": "told to fail"}
    return (200 if valid else 400), {"valid": valid, "why": why}


def make(route: Route, asked: dict[str, Any]) -> dict[str, Any]:
    entry = route.entry
    body = entry.body(asked["n"], asked["at"], asked["attempt"]).encode()
    it = Delivery(body, at=asked["at"], n=asked["n"], url=route.url)
    headers = {"Content-Type": entry.content_type, **entry.sign(entry.secret, it)}
    return {"headers": headers, "body": base64.b64encode(body).decode()}


def described() -> list[dict[str, Any]]:
    return [
        {
            "name": entry.name, "provider": entry.provider, "package": entry.package, "secret": entry.secret,
            "retries": entry.retries, "signedTime": entry.signed_time,
            "eventId": entry.event_id, "url": entry.url, "sample": entry.sample,
        }
        for entry in PROVIDERS
    ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass

    def headers_by_name(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def answer(self, status: int, value: Any) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        if self.path == "/routes":
            return self.answer(200, described())
        if self.path == "/counts":
            with LOCK:
                return self.answer(
                    200, {name: {"seen": r.seen, "verified": r.verified, "last": r.last} for name, r in ROUTES.items()}
                )
        return self.answer(404, {})

    def do_POST(self) -> None:
        if "content-length" not in self.headers_by_name():
            self.close_connection = True
            return self.answer(411, {"why": "no Content-Length"})
        body = self.rfile.read(int(self.headers["Content-Length"]))
        verb, _, name = self.path.split("?")[0].removeprefix("/").partition("/")
        route = ROUTES.get(name)
        if route is None:
            return self.answer(404, {})
        if verb == "hooks":
            it = Delivery(body, url=route.url, method=self.command, headers=self.headers_by_name())
            return self.answer(*receive(route, it))
        asked = json.loads(body or b"{}")
        if verb == "make":
            return self.answer(200, make(route, asked))
        if verb == "judge":
            it = Delivery(
                base64.b64decode(asked["body"]), url=asked["url"], method=asked["method"], headers=asked["headers"]
            )
            valid, why = judge(route, it)
            return self.answer(200, {"valid": valid, "why": why})
        if verb == "fail":
            with LOCK:
                route.fail = True
            return self.answer(200, {})
        return self.answer(404, {})


class Server(ThreadingHTTPServer):
    daemon_threads = True


SERVER = Server(("127.0.0.1", 0), Handler)
print(f"ready {SERVER.server_address[1]}", flush=True)
SERVER.serve_forever()
