"""Notifications as mails by SMTP."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate

from tickstream.alerting.adapters.channel import TIMEOUT, Message, RefusedError
from tickstream.alerting.routing_spec import EmailSpec
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.errors import RetryableError


class Mail:
    """Sends to some addresses by way of one server."""

    def __init__(self, spec: EmailSpec) -> None:
        self._spec = spec

    def send(self, message: Message, now: int) -> None:
        """See `Channel`; the Message-ID is the notification's id, so that mail systems drop a repetition."""
        mail = self._mail(message, now)
        try:
            with self._connect() as server:
                refused = server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            _judge(f"no recipient is taken: {_said(error.recipients)}", [code for code, _ in error.recipients.values()])
        except smtplib.SMTPAuthenticationError as error:
            # Somebody may mend the account before the notification is given up.
            raise RetryableError(f"{self._spec.host} refuses the login: {error.smtp_code}") from None
        except smtplib.SMTPResponseException as error:
            _judge(f"{self._spec.host} answered {error.smtp_code}: {_text(error.smtp_error)}", [error.smtp_code])
        except (smtplib.SMTPException, OSError) as error:
            raise RetryableError(f"{self._spec.host} can't be used: {type(error).__name__}") from None
        else:
            if refused:
                # The others have it: another attempt would be another mail to them.
                raise RefusedError(f"some recipients aren't taken: {_said(refused)}")

    def _connect(self) -> smtplib.SMTP:
        spec = self._spec
        if spec.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(spec.host, spec.port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(spec.host, spec.port, timeout=TIMEOUT)
        try:
            if spec.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if spec.password is not None:
                server.login(spec.username, spec.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: Message, now: int) -> EmailMessage:
        domain = self._spec.sender.rpartition("@")[2]
        mail = EmailMessage()
        mail["From"] = self._spec.sender
        mail["To"] = ", ".join(self._spec.to)
        mail["Subject"] = message.title
        mail["Date"] = formatdate(now / NANOS_PER_SECOND)
        mail["Message-ID"] = f"<{message.id}@{domain}>"
        mail["References"] = f"<{hashlib.sha256(message.stream.encode()).hexdigest()[:32]}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text + "\n")
        return mail


def _judge(reason: str, codes: list[int]) -> None:
    if any(400 <= code < 500 for code in codes):
        raise RetryableError(reason)
    raise RefusedError(reason)


def _said(recipients: dict[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} {code} {_text(text)}" for address, (code, text) in recipients.items())


def _text(given: bytes | str) -> str:
    return " ".join((given if isinstance(given, str) else given.decode(errors="replace")).split())[:200]
