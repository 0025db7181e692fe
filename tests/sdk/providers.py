"""The providers whose Python packages the test uses: how a delivery is made, and how the package judges it.

The twin of providers.mjs, which explains the fields. Headers come to `verify` with lower-case names.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable
from urllib.parse import parse_qsl

import stripe
from Adyen import util as adyen
from box_sdk_gen.internal.utils import compute_webhook_signature
from box_sdk_gen.managers.webhooks import WebhooksManager
from gidgethub import sansio
from gocardless_pro import webhooks as gocardless
from hubspot.utils.signature import Signature as HubSpotSignature
from razorpay.utility import Utility as RazorpayUtility
from slack_sdk.signature import Clock, SignatureVerifier
from square.utils.webhooks_helper import verify_signature as square_verify
from standardwebhooks.webhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twitchAPI.eventsub.webhook import EventSubWebhook


def secret_for(name: str) -> str:
    """A secret that is made here, so that none stands in the source."""
    return hashlib.sha256(f"hookward sdk test {name}".encode()).hexdigest()


def whsec(name: str) -> str:
    return "whsec_" + base64.b64encode(bytes.fromhex(secret_for(name))).decode()


def mac(secret: str, text: bytes) -> Any:
    return hmac.new(secret.encode(), text, hashlib.sha256)


def mac_base64(secret: str, text: bytes) -> str:
    return base64.b64encode(mac(secret, text).digest()).decode()


def loose(value: Any) -> str:
    """JSON as no serialiser would write it again: whoever parses and prints it changes its bytes."""
    text = json.dumps({**value, "note": "naïve – ☃ 𝄞", "marker": "unchanged"}, ensure_ascii=False, indent=1)
    return text.replace('"marker"', '"escaped" : "\\u00e9\\/",\n  "number" : 1.0,\n  "marker"') + "\n"


def rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass
class Delivery:
    """What is to be signed, or what arrived. `at` is Unix milliseconds."""

    body: bytes
    at: int = 0
    n: int = 0
    url: str = ""
    method: str = "POST"
    headers: dict[str, str] | None = None

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def seconds(self) -> str:
        return str(self.at // 1000)

    def __getitem__(self, name: str) -> str:
        return (self.headers or {})[name]


@dataclass
class Provider:
    name: str
    provider: str
    package: str
    secret: str
    retries: str
    body: Callable[[int, int, int], str]
    sign: Callable[[str, Delivery], dict[str, str]]
    verify: Callable[[str, Delivery], Any]
    signed_time: bool = False
    event_id: bool = False
    content_type: str = "application/json"
    # The signature covers the URL as registered.
    url: bool = False
    sample: bool = True


def sign_webhook(prefix: str, webhook: type) -> Callable[[str, Delivery], dict[str, str]]:
    def sign(secret: str, it: Delivery) -> dict[str, str]:
        at = datetime.fromtimestamp(it.at // 1000, timezone.utc)
        signature = webhook(secret).sign(f"msg_{it.n}", at, it.text)
        return {f"{prefix}-id": f"msg_{it.n}", f"{prefix}-timestamp": it.seconds, f"{prefix}-signature": signature}

    return sign


def accepted(value: Any) -> bool:
    """For verifiers that raise when they refuse, whatever they answer when they accept."""
    del value
    return True


class At(Clock):
    """A clock for the signer alone."""


def sign_slack(secret: str, it: Delivery) -> dict[str, str]:
    signature = SignatureVerifier(secret, At()).generate_signature(timestamp=it.seconds, body=it.body)
    return {"X-Slack-Request-Timestamp": it.seconds, "X-Slack-Signature": str(signature)}


def fields(it: Delivery) -> dict[str, str]:
    return dict(parse_qsl(it.text, keep_blank_values=True))


def adyen_items(secret: str, n: int) -> str:
    items = []
    for event in ("AUTHORISATION", "CAPTURE"):
        item: dict[str, Any] = {
            "pspReference": f"{n}{event}", "merchantAccountCode": "Shop", "merchantReference": f"unchanged:{n}",
            "amount": {"value": 1000, "currency": "EUR"}, "eventCode": event, "success": "true", "reason": "naïve",
        }
        signature = adyen.generate_notification_sig(item, secret).decode()
        items.append({"NotificationRequestItem": {**item, "additionalData": {"hmacSignature": signature}}})
    return json.dumps({"live": "false", "notificationItems": items}, ensure_ascii=False, indent=1)


def sign_box(secret: str, it: Delivery) -> dict[str, str]:
    headers = {
        "box-delivery-id": f"delivery-{it.n}",
        "box-delivery-timestamp": rfc3339(it.at) + "+00:00",
        "box-signature-version": "1",
        "box-signature-algorithm": "HmacSHA256",
    }
    signature = compute_webhook_signature(it.text, headers, secret)
    return {**headers, "box-signature-primary": str(signature)}


def sign_twitch(secret: str, it: Delivery) -> dict[str, str]:
    message, at = f"00000000-0000-4000-8000-{it.n:012d}", rfc3339(it.at) + ".123456789Z"
    return {
        "Twitch-Eventsub-Message-Id": message,
        "Twitch-Eventsub-Message-Timestamp": at,
        "Twitch-Eventsub-Message-Type": "notification",
        "Twitch-Eventsub-Message-Signature": "sha256=" + mac(secret, (message + at).encode() + it.body).hexdigest(),
    }


class TwitchRequest:
    """As much of a web request as the package's verifier reads."""

    def __init__(self, it: Delivery) -> None:
        self.headers = {name.title(): value for name, value in (it.headers or {}).items()}
        self._text = it.text

    async def text(self) -> str:
        return self._text


def verify_twitch(secret: str, it: Delivery) -> bool:
    # Its constructor wants an application that has logged in; the verifier wants the secret alone.
    hook = object.__new__(EventSubWebhook)
    hook.secret = secret
    return asyncio.run(hook._verify_signature(TwitchRequest(it)))


PROVIDERS = [
    Provider(
        "stripe", "stripe", "stripe", "whsec_" + secret_for("stripe"), "fresh",
        body=lambda n, at, _: loose({"id": f"evt_{n}", "object": "event", "type": "invoice.paid", "created": at // 1000}),
        sign=lambda secret, it: {
            "Stripe-Signature": stripe.WebhookSignature.generate_signature_header(it.text, secret, it.at // 1000)
        },
        verify=lambda secret, it: stripe.Webhook.construct_event(it.body, it["stripe-signature"], secret),
        signed_time=True, event_id=True,
    ),
    Provider(
        "standard-webhooks", "standard-webhooks", "standardwebhooks", whsec("standard"), "fresh",
        body=lambda n, at, _: loose({"type": "contact.created", "data": {"n": n}}),
        sign=sign_webhook("webhook", StandardWebhook),
        verify=lambda secret, it: StandardWebhook(secret).verify(it.body, it.headers),
        signed_time=True, event_id=True,
    ),
    Provider(
        # The other spelling of the headers, which svix's packages accept too.
        "svix-unbranded", "svix", "svix", whsec("svix"), "fresh",
        body=lambda n, at, _: loose({"type": "contact.created", "data": {"n": n}}),
        sign=sign_webhook("webhook", SvixWebhook),
        verify=lambda secret, it: accepted(SvixWebhook(secret).verify(it.body, it.headers)),
        signed_time=True, event_id=True,
    ),
    Provider(
        "slack", "slack", "slack_sdk", secret_for("slack"), "fresh",
        body=lambda n, at, _: loose({"type": "event_callback", "event_id": f"Ev{n}", "event": {"type": "app_mention"}}),
        sign=sign_slack,
        verify=lambda secret, it: SignatureVerifier(secret).is_valid_request(it.body, it.headers),
        signed_time=True, event_id=True,
    ),
    Provider(
        # Form mode: the JSON is in the field `payload`, and the raw form is signed.
        "github-form", "github", "gidgethub", secret_for("github"), "none",
        body=lambda n, at, _: f"payload=%7b%22n%22%3A{n}%2C+%22note%22%3a%22%C3%A9%22%7D&marker=unchanged",
        sign=lambda secret, it: {
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": f"delivery-{it.n}",
            "X-Hub-Signature-256": "sha256=" + mac(secret, it.body).hexdigest(),
        },
        verify=lambda secret, it: accepted(
            sansio.validate_event(it.body, signature=it["x-hub-signature-256"], secret=secret)
        ),
        content_type="application/x-www-form-urlencoded",
    ),
    Provider(
        "razorpay", "razorpay", "razorpay", secret_for("razorpay"), "identical",
        body=lambda n, at, _: loose({"entity": "event", "event": "payment.captured", "payload": {"n": n}}),
        sign=lambda secret, it: {"X-Razorpay-Signature": mac(secret, it.body).hexdigest()},
        verify=lambda secret, it: RazorpayUtility().verify_webhook_signature(it.text, it["x-razorpay-signature"], secret),
    ),
    Provider(
        "box", "box", "box-sdk-gen", secret_for("box"), "fresh",
        body=lambda n, at, _: loose({"type": "webhook_event", "id": f"event-{n}", "trigger": "FILE.UPLOADED"}),
        sign=sign_box,
        verify=lambda secret, it: WebhooksManager.validate_message(it.text, it.headers, secret),
        signed_time=True, event_id=True,
    ),
    Provider(
        "twitch", "twitch", "twitchAPI", secret_for("twitch"), "fresh",
        body=lambda n, at, _: loose({"subscription": {"type": "channel.follow"}, "event": {"user_id": str(n)}}),
        sign=sign_twitch,
        verify=verify_twitch,
        signed_time=True, event_id=True,
    ),
    Provider(
        "square", "square", "squareup", secret_for("square"), "identical",
        body=lambda n, at, attempt: loose({"type": "payment.created", "event_id": f"event-{n}", "attempt": attempt}),
        sign=lambda secret, it: {"x-square-hmacsha256-signature": mac_base64(secret, it.url.encode() + it.body)},
        verify=lambda secret, it: square_verify(
            request_body=it.text, signature_header=it["x-square-hmacsha256-signature"],
            signature_key=secret, notification_url=it.url,
        ),
        event_id=True, url=True,
    ),
    Provider(
        "hubspot", "hubspot", "hubspot-api-client", secret_for("hubspot"), "fresh",
        body=lambda n, at, _: "[" + loose({"eventId": n, "subscriptionType": "contact.creation"}) + "]",
        sign=lambda secret, it: {
            "X-HubSpot-Request-Timestamp": str(it.at),
            "X-HubSpot-Signature-v3": HubSpotSignature.get_signature(secret, it.text, "v3", it.url, it.method, str(it.at)),
        },
        verify=lambda secret, it: HubSpotSignature.is_valid(
            it["x-hubspot-signature-v3"], secret, it.text, it.url, it.method, "v3", it["x-hubspot-request-timestamp"]
        ),
        signed_time=True, url=True,
    ),
    Provider(
        "hubspot-v1", "hubspot-v1", "hubspot-api-client", secret_for("hubspot v1"), "identical",
        body=lambda n, at, _: "[" + loose({"eventId": n, "subscriptionType": "contact.creation"}) + "]",
        sign=lambda secret, it: {
            "X-HubSpot-Signature-Version": "v1",
            "X-HubSpot-Signature": HubSpotSignature.get_signature(secret, it.text, "v1"),
        },
        verify=lambda secret, it: HubSpotSignature.is_valid(it["x-hubspot-signature"], secret, it.text, signature_version="v1"),
    ),
    Provider(
        "hubspot-v2", "hubspot-v2", "hubspot-api-client", secret_for("hubspot v2"), "identical",
        body=lambda n, at, _: loose({"objectId": n, "actionType": "DATE_CREATED"}),
        sign=lambda secret, it: {
            "X-HubSpot-Signature-Version": "v2",
            "X-HubSpot-Signature": HubSpotSignature.get_signature(secret, it.text, "v2", it.url, it.method),
        },
        verify=lambda secret, it: HubSpotSignature.is_valid(
            it["x-hubspot-signature"], secret, it.text, it.url, it.method, "v2"
        ),
        url=True,
    ),
    Provider(
        # The settings header names key and algorithm.
        "twilio-sha256", "twilio-sha256", "twilio", secret_for("twilio sha256"), "identical",
        body=lambda n, at, _: f"To=%2b18005551212&MessageSid=SM{n}&Body=na%C3%AFve+{n}&marker=unchanged",
        sign=lambda secret, it: {
            "X-Twilio-Webhooks-Signature-Settings": "key=sdk,algorithm=HMAC_SHA256",
            "X-Twilio-Signature": RequestValidator(secret).compute_signature(it.url, fields(it), "HMAC_SHA256"),
        },
        verify=lambda secret, it: RequestValidator(secret).validate(
            it.url, fields(it), it["x-twilio-signature"],
            get_signature_algorithm(it["x-twilio-webhooks-signature-settings"]),
        ),
        content_type="application/x-www-form-urlencoded; charset=UTF-8", url=True,
    ),
    Provider(
        # Each item is signed in the body; the key is written in hex.
        "adyen", "adyen", "Adyen", secret_for("adyen payments").upper(), "identical",
        body=lambda n, at, _: adyen_items(secret_for("adyen payments"), n),
        sign=lambda secret, it: {},
        verify=lambda secret, it: all(
            adyen.is_valid_hmac_notification(item["NotificationRequestItem"], secret)
            for item in json.loads(it.text)["notificationItems"]
        ),
    ),
    Provider(
        # The key is written in hex.
        "adyen-platform", "adyen-platform", "Adyen", secret_for("adyen").upper(), "identical",
        body=lambda n, at, _: loose({"type": "balancePlatform.transfer.updated", "data": {"id": f"T{n}"}}),
        sign=lambda secret, it: {"Protocol": "HmacSHA256", "hmacsignature": adyen.generate_payload_sig(it.body, secret).decode()},
        verify=lambda secret, it: adyen.is_valid_hmac_payload(it["hmacsignature"], secret, it.body),
    ),
    Provider(
        "gocardless", "gocardless", "gocardless_pro", secret_for("gocardless"), "identical",
        body=lambda n, at, attempt: loose({"events": [{"id": f"EV{n}"}, {"id": f"EV{n}b"}], "meta": {"webhook_id": f"WB{n}-{attempt}"}}),
        sign=lambda secret, it: {"Webhook-Signature": mac(secret, it.body).hexdigest()},
        verify=lambda secret, it: accepted(gocardless._verify_signature(it.body, secret, it["webhook-signature"])),
        event_id=True,
    ),
]
