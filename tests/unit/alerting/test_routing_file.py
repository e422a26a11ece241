"""The file that says who is told: what it may say, and what is said of its mistakes."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tickstream.alerting.adapters.receivers import receivers_of
from tickstream.alerting.adapters.routing_file import InvalidRoutingError, read_routing

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
ENVIRONMENT = {"DESK_SECRET": SECRET, "CHAT": "json://chat.example.org/room", "SHORT": "whsec_eA=="}
DOCS = Path(__file__).parents[3] / "docs" / "alerting.md"

GOOD = """
receivers:
  - name: desk
    webhook: {url: "https://desk.example.org/hook", secret: {env: DESK_SECRET}}
    cap: {notifications: 20, per: 1m}
  - name: mail
    email: {to: desk@example.org, from: alerts@example.org, host: 127.0.0.1, port: 2525, security: none}
  - name: chat
    apprise: {url: {env: CHAT}}
route:
  receivers: desk
  routes:
    - {match: {severity: critical}, receivers: [desk, mail], escalate: {after: 15m, receiver: chat}}
"""


def read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notify.yaml"
    path.write_text(text)
    spec = read_routing(path, ENVIRONMENT)
    assert receivers_of(spec).keys() == {receiver.name for receiver in spec.receivers}


def test_what_is_right_is_read(tmp_path: Path) -> None:
    read(tmp_path, GOOD)


def test_the_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    example = next(part for part in DOCS.read_text().split("```") if part.startswith("yaml\nreceivers:"))
    path = tmp_path / "notify.yaml"
    path.write_text(example.removeprefix("yaml\n"))
    environment = {"DESK_WEBHOOK_SECRET": SECRET, "SMTP_PASSWORD": "x", "ONCALL_URL": "json://chat.example.org/room"}
    read_routing(path, environment)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("receivers: desk", "receivers: dusk", "line 11, /route/receivers/0: there is no receiver dusk"),
        ("after: 15m", "after: soon", "line 13, /route/routes/0/escalate/after: must be a time such as 30s"),
        ("receiver: chat", "receiver: mail", "line 13, /route/routes/0/escalate/receiver: mail is told at once"),
        ("name: chat", "name: desk", "line 8, /receivers/2/name: there is another receiver desk"),
        ("DESK_SECRET", "NOT_THERE", "line 4, /receivers/0/webhook/secret: must hold something"),
        ("DESK_SECRET", "SHORT", "line 4, /receivers/0/webhook: secret must be whsec_ and 24 to 64 bytes"),
        ("{env: DESK_SECRET}", SECRET, "line 4, /receivers/0/webhook/secret: must be {env: NAME} or {file: PATH}"),
        ("https://desk", "http://desk", "line 4, /receivers/0/webhook: isn't encrypted: desk.example.org must be"),
        ("https://desk.example.org", "file:///etc", "line 4, /receivers/0/webhook: url must be http(s)://HOST"),
        ("host: 127.0.0.1", "host: mx.example.org", "line 7, /receivers/1/email: isn't encrypted"),
        ("cap: {", "crap: {", "line 5, /receivers/0/crap: Extra inputs are not permitted"),
        ("  receivers: desk\n", "", "/route/receivers: must be given"),
        ("name: chat", "title: '{{ nix }}'\n    name: chat", "line 8, /receivers/2: can't be rendered: 'nix'"),
        ("{severity: critical}", "{severity: []}", "line 13, /route/routes/0/match/severity"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(InvalidRoutingError) as error:
        read(tmp_path, GOOD.replace(old, new))
    assert said in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("text", ["", "[", "a: 1", "receivers: []\nroute: {}", "\t"])
def test_what_is_no_configuration_at_all_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRoutingError):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRoutingError, match="can't be read"):
        read_routing(tmp_path / "none.yaml", {})


def test_hosts_may_be_allowed_without_encryption(tmp_path: Path) -> None:
    read(tmp_path, "plain_hosts: desk.example.org\n" + GOOD.replace("https://desk", "http://desk"))
