"""Settings: read once from the environment, then frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synth.errors import RequestError


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things lie and what to run on. Every field is one SYNTH_* variable (DATABASE_URL by its usual name)."""

    home: Path  # SYNTH_HOME: database, blobs, default library
    database_url: str  # DATABASE_URL
    blob_url: str  # SYNTH_BLOBS: any fsspec URL
    library: Path  # SYNTH_LIBRARY: folder with metadata.csv
    models: Path  # SYNTH_MODELS: folder with one folder a model
    model_id: str  # SYNTH_MODEL
    device: str  # SYNTH_DEVICE: auto | cpu | cuda | mps
    queue_size: int  # SYNTH_QUEUE: waiting jobs before BusyError
    threads: int  # SYNTH_THREADS: torch threads on a CPU, 0 = torch decides
    pacs: Path  # SYNTH_PACS: TOML file of the PACS and the listener; need not be there
    starter: bool = True  # SYNTH_STARTER: 1 draws the shipped case set on the first start, 0 does not
    auth: str = "local"  # SYNTH_AUTH: local | accounts | oidc

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment. Raises RequestError naming the variable that cannot be read."""
        env = os.environ if env is None else env
        home = Path(env.get("SYNTH_HOME", Path.home() / ".synthread")).expanduser().resolve()
        assets = Path(__file__).resolve().parent.parent / "assets" / "models"
        device = env.get("SYNTH_DEVICE", "auto")
        if device not in ("auto", "cpu", "cuda", "mps"):
            raise RequestError(f"SYNTH_DEVICE is {device!r}; it must be auto, cpu, cuda or mps.")
        auth = env.get("SYNTH_AUTH", "local")
        if auth not in ("local", "accounts", "oidc"):
            raise RequestError(f"SYNTH_AUTH is {auth!r}; it must be local, accounts or oidc.")
        return cls(
            home=home,
            database_url=env.get("DATABASE_URL", f"sqlite:///{home / 'synth.db'}"),
            blob_url=env.get("SYNTH_BLOBS", f"file://{home / 'blobs'}"),
            library=Path(env.get("SYNTH_LIBRARY", home / "library")).expanduser(),
            models=Path(env.get("SYNTH_MODELS", assets)).expanduser(),
            model_id=env.get("SYNTH_MODEL", "synthread-256"),
            device=device,
            queue_size=_whole_number(env, "SYNTH_QUEUE", 32),
            threads=_whole_number(env, "SYNTH_THREADS", 0),
            pacs=Path(env.get("SYNTH_PACS", home / "pacs.toml")).expanduser(),
            starter=_whole_number(env, "SYNTH_STARTER", 1) > 0,
            auth=auth,
        )


def _whole_number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdigit():
        raise RequestError(f"{name} is {text!r}; it must be a whole number of 0 or more.")
    return int(text)
