"""What is sent: deliveries in GitHub's style with 1 KiB of body, no two alike."""

import hmac
from dataclasses import dataclass

SECRET = "gates-secret-gates-secret"
BODY_BYTES = 1024

HEAD = (
    "POST /hook HTTP/1.1\r\n"
    "Host: hooks.example.com\r\n"
    "User-Agent: GitHub-Hookshot/0000000\r\n"
    "Accept: */*\r\n"
    "Content-Type: application/json\r\n"
    "X-GitHub-Delivery: 00000000-0000-4000-8000-{number:012d}\r\n"
    "X-GitHub-Event: push\r\n"
    "X-GitHub-Hook-ID: 100000001\r\n"
    "X-Hub-Signature-256: sha256={signature}\r\n"
    "Content-Length: {length}\r\n"
    "\r\n"
)


@dataclass(frozen=True)
class Kind:
    """A kind of delivery, and what the gateway has to make of it."""

    genuine: bool

    @property
    def status(self) -> int:
        """What the sender is answered."""
        return 200 if self.genuine else 401

    def make(self, number: int) -> bytes:
        """One request. The signature of one that is not genuine is of another body."""
        start = f'{{"number":{number:012d},"pad":"'.encode()
        body = start + b"x" * (BODY_BYTES - len(start) - 2) + b'"}'
        signed = body if self.genuine else body[:-1]
        signature = hmac.digest(SECRET.encode(), signed, "sha256").hex()
        return HEAD.format(number=number, signature=signature, length=len(body)).encode() + body


GENUINE = Kind(genuine=True)
FORGED = Kind(genuine=False)
