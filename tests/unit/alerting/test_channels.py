"""Every way of telling someone, against a real server on loopback."""

from __future__ import annotations

import base64
import re
import secrets
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from standardwebhooks import Webhook as Verifier

from tests.support.inbox import HttpInbox, http_inbox, mail_inbox
from tests.support.ports import spare_port
from tests.unit.alerting.routing_world import START, change
from tickstream.alerting.adapters.apprise_channel import AppriseChannel
from tickstream.alerting.adapters.channel import Message, RefusedError
from tickstream.alerting.adapters.mail import Mail
from tickstream.alerting.adapters.templates import TemplateFaultError, Templates
from tickstream.alerting.adapters.webhook import Webhook
from tickstream.alerting.domain.routing.decision import Notification
from tickstream.alerting.routing_spec import AppriseSpec, EmailSpec, WebhookSpec, environment_of
from tickstream.core.clock import SystemClock
from tickstream.core.errors import RetryableError

SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
ENVIRONMENT = {"SECRET": SECRET, "EMPTY": ""}


def message(*, firing: int = 1, resolved: int = 1) -> Message:
    made = Notification(
        "8a1c",
        "desk",
        "stream",
        {"rule": "high"},
        START,
        tuple(change(f"high/F{number}", "firing", 0) for number in range(firing)),
        tuple(change(f"high/R{number}", "resolved", 1) for number in range(resolved)),
    )
    return Message(made.id, made.stream, *Templates(None, None).render(made.body()), made.body())


def webhook(url: str, **given: Any) -> Webhook:
    return Webhook(WebhookSpec.model_validate({"url": url, **given}, context=environment_of(ENVIRONMENT)))


def now() -> int:
    return SystemClock().now_ns()


def test_a_webhook_carries_the_alerts_and_a_signature_that_another_library_takes() -> None:
    with http_inbox() as inbox:
        webhook(inbox.url, secret={"env": "SECRET"}).send(message(), now())
    [request] = inbox.requests
    assert Verifier(SECRET).verify(request.content, dict(request.headers)) == request.body
    assert request.headers["Idempotency-Key"] == request.headers["webhook-id"] == "8a1c"
    assert request.body["counts"] == {"firing": 1, "resolved": 1}
    assert request.body["title"] == "1 firing, 1 resolved: high"
    assert request.body["firing"][0]["symbol"] == "F0"


@pytest.mark.parametrize(
    ("status", "headers", "raised", "pause"),
    [
        (500, {}, RetryableError, 0),
        (429, {"Retry-After": "17"}, RetryableError, 17),
        (503, {"Retry-After": "soon"}, RetryableError, 0),
        (400, {}, RefusedError, 0),
        (302, {"Location": "/elsewhere"}, RefusedError, 0),
    ],
)
def test_what_a_webhook_answers_says_whether_it_is_tried_again(
    status: int, headers: dict[str, str], raised: type[Exception], pause: float
) -> None:
    with http_inbox() as inbox:
        inbox.answers = [(status, headers)]
        with pytest.raises(raised, match=str(status)) as error:
            webhook(inbox.url).send(message(), now())
    assert [request.path for request in inbox.requests] == ["/hook"]
    assert getattr(error.value, "retry_after", 0) == pause


def test_a_webhook_that_is_away_is_tried_again_and_its_url_stays_secret() -> None:
    url = f"http://127.0.0.1:{spare_port()}/token-in-the-path"
    with pytest.raises(RetryableError) as error:
        webhook(url).send(message(), now())
    assert "token-in-the-path" not in str(error.value)


def mail(port: int, **given: Any) -> Mail:
    spec = {"to": ["desk@example.org", "b@example.org"], "from": "alerts@example.org", "host": "127.0.0.1"}
    return Mail(EmailSpec.model_validate({**spec, "port": port, "security": "none", **given}))


def test_a_mail_says_what_has_happened_and_can_be_told_from_its_repetition() -> None:
    with mail_inbox() as inbox:
        mail(inbox.port).send(message(), now())
        mail(inbox.port).send(message(), now())
    first, again = inbox.mails
    assert inbox.recipients[0] == ["desk@example.org", "b@example.org"]
    assert first["Subject"] == "1 firing, 1 resolved: high"
    assert first["Message-ID"] == again["Message-ID"] == "<8a1c@example.org>"
    text = first.get_content()
    assert "FIRING warning high: high/F0 is firing, 2023-11-14 22:13:20 UTC" in text
    assert "RESOLVED high: high/R0 is resolved (because)" in text


@pytest.mark.parametrize(("answer", "raised"), [("451 later", RetryableError), ("554 never", RefusedError)])
def test_what_a_mail_server_answers_says_whether_it_is_tried_again(answer: str, raised: type[Exception]) -> None:
    with mail_inbox() as inbox:
        inbox.answer = answer
        with pytest.raises(raised, match=answer[:3]):
            mail(inbox.port).send(message(), now())


def test_a_mail_server_without_encryption_gets_no_mail_unless_that_is_allowed() -> None:
    with mail_inbox() as inbox:
        with pytest.raises(RetryableError):
            mail(inbox.port, security="starttls").send(message(), now())
        with pytest.raises(RetryableError):
            mail(inbox.port, security="tls").send(message(), now())
    assert inbox.mails == []


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Who has signed the mail server's certificate."""
    found = trustme.CA()
    found.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return found


def encrypted(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


def test_a_mail_goes_out_encrypted_after_starttls(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with mail_inbox(encrypted(authority)) as inbox:
        mail(inbox.port, security="starttls").send(message(), now())
        with pytest.raises(RefusedError, match="530"):
            mail(inbox.port).send(message(), now())
    assert [each["Subject"] for each in inbox.mails] == ["1 firing, 1 resolved: high"]


@pytest.mark.parametrize(("trusted", "host"), [(False, "127.0.0.1"), (True, "mail.example.org")])
def test_a_mail_server_that_can_not_show_who_it_is_gets_no_mail(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool, host: str
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    refused = pytest.raises(RetryableError, match="SSLCertVerificationError")
    with mail_inbox(encrypted(authority, host)) as inbox, refused:
        mail(inbox.port, security="starttls").send(message(), now())
    assert inbox.mails == []


def apprise(inbox: HttpInbox) -> AppriseChannel:
    environment = {"URL": f"json://127.0.0.1:{inbox.port}/apprise"}
    return AppriseChannel(AppriseSpec.model_validate({"url": {"env": "URL"}}, context=environment_of(environment)))


def test_apprise_carries_it_to_a_service() -> None:
    with http_inbox() as inbox:
        apprise(inbox).send(message(), now())
        apprise(inbox).send(message(firing=0), now())
    first, ended = (request.body for request in inbox.requests)
    assert (first["title"], first["type"]) == ("1 firing, 1 resolved: high", "failure")
    assert "FIRING warning high" in first["message"]
    assert ended["type"] == "success"


@pytest.mark.parametrize("answer", [(500, {}), (302, {"Location": "/elsewhere"})])
def test_what_apprise_can_not_deliver_is_tried_again(answer: tuple[int, dict[str, str]]) -> None:
    with http_inbox() as inbox:
        inbox.answers = [answer]
        with pytest.raises(RetryableError):
            apprise(inbox).send(message(), now())
    assert {request.path for request in inbox.requests} == {"/apprise"}


def test_a_notification_lists_a_hundred_alerts_and_counts_the_rest() -> None:
    long = message(firing=150, resolved=20)
    assert (len(long.body["firing"]), len(long.body["resolved"]), long.body["unlisted"]) == (100, 0, 70)
    assert long.text.endswith("and 70 more")
    assert len(re.findall("FIRING", long.text)) == 100


def test_templates_of_ones_own_are_rendered_in_a_sandbox() -> None:
    own = Templates("{{ counts.firing }} x {{ group.rule }}", "{% for a in firing %}{{ a.symbol }} {% endfor %}")
    assert own.render(message(firing=2).body) == ("2 x high", "F0 F1")
    for wrong in ("{{ nothing }}", "{% for %}", "{{ ''.__class__.__mro__ }}", "{{ 1 / 0 }}"):
        with pytest.raises(TemplateFaultError):
            Templates(wrong, None)


def test_a_template_that_fails_after_all_gives_way_to_the_usual_one() -> None:
    own = Templates("{{ 1 / (counts.firing - 7) }}", None)
    assert own.render(message(firing=7).body)[0] == "7 firing, 1 resolved: high"
