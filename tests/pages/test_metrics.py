"""GET /metrics: true figures, nobody's name, and a token for whoever is not here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from synth.types import AuditEvent, GeneratedImage
from synth.ui import house
from synth.ui.server import metrics as endpoint

Visit = Callable[..., AppTest]
Make = Callable[..., GeneratedImage]


def client(host: str = "127.0.0.1") -> TestClient:
    return TestClient(Starlette(routes=[endpoint.route]), client=(host, 50000))


def samples(text: str) -> dict[str, float]:
    """Every sample, as name{label=value}."""
    return {
        sample.name + "".join(f"{{{name}={value}}}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def kept(app: Visit, make_image: Make) -> Visit:
    """A store with an image of ada and a refusal."""
    image = make_image("i", "ada")
    house.store().add_image(image)
    refused = AuditEvent(image.provenance.created_at, "ada", "refused", "", "", {"kind": "busy"})
    house.store().add_event(refused)
    return app


def test_the_figures_are_those_of_the_store(kept: Visit) -> None:
    answer = client().get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    found = samples(answer.text)
    assert found["synthread_images_total{modality=DX}{model=tiny}"] == 1
    assert found["synthread_refusals_total{kind=busy}"] == 1
    assert found["synthread_jobs_ended_total{state=failed}"] == 0
    assert (found["synthread_queue_length"], found["synthread_jobs_running"], found["synthread_alarms"]) == (0, 0, 0)
    assert found["synthread_drawing_seconds_bucket{le=0.25}"] == 1
    assert found["synthread_drawing_seconds_count"] == 1 and found["synthread_drawing_seconds_sum"] == 0.125
    assert found["synthread_waiting_seconds_bucket{le=+Inf}"] == 0
    assert found["synthread_audit_trail_rows"] >= 1
    assert "ada" not in answer.text


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("10.0.0.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}),
        ("127.0.0.1", {"Authorization": "Bearer wrong"}),
        ("10.0.0.7", {"Authorization": "Basic abc"}),
    ],
)
def test_strangers_get_401(kept: Visit, host: str, headers: dict[str, str]) -> None:
    answer = client(host).get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "synthread" not in answer.text


def test_the_token_of_the_home_opens_it_from_elsewhere(kept: Visit) -> None:
    assert client("10.0.0.7").get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 401
    file = house.settings().home / "metrics.token"
    token = file.read_text()
    assert len(token) > 40 and file.stat().st_mode & 0o077 == 0
    assert client("10.0.0.7").get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_token_of_the_environment_takes_its_place(kept: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_METRICS_TOKEN", "s3cret")
    assert client("10.0.0.7").get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert not (house.settings().home / "metrics.token").exists()


def test_an_empty_token_opens_nothing(kept: Visit) -> None:
    (house.settings().home / "metrics.token").write_text("\n")
    assert client("10.0.0.7").get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    assert client("10.0.0.7").get("/metrics", headers={"Authorization": b"Bearer \xe9"}).status_code == 401
