"""Several processes train one network: the same step, the same gradients, different pictures."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from synth.training.__main__ import main
from synth.training.team import Team
from tests.training.test_runs import arguments

pytestmark = pytest.mark.training
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def one_of_two(rank: int, port: str, out: str) -> None:
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    team = Team.from_env()
    weight, bias = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))
    weight.grad, bias.grad = torch.full((2, 3), 1.0 + rank), torch.full((4,), 10.0 * rank)
    team.average([weight, torch.nn.Parameter(torch.zeros(1)), bias])
    said = {
        "weight": weight.grad.tolist(),
        "bias": bias.grad.tolist(),
        "agreed": team.agree(0.25 + rank, torch.device("cpu")),
        "seed": team.seed(7),
        "leads": team.leads,
    }
    Path(out, f"{rank}.json").write_text(json.dumps(said))
    team.leave()
    Path(out, f"{rank}.left").touch()
    while rank == 0 and not Path(out, "1.left").exists():
        time.sleep(0.01)  # it serves the meeting point, which the other still asks while it leaves
    os._exit(0)  # gloo's threads sometimes abort an interpreter that is being torn down


def test_two_processes_share_gradients_and_the_clock_but_not_the_seed(tmp_path: Path) -> None:
    # Not by multiprocessing: it runs __main__ again, which the page tests leave behind as another script.
    code = "import sys; from tests.training.test_team import one_of_two as go; go(int(sys.argv[1]), *sys.argv[2:])"
    port = str(free_port())
    called = [[sys.executable, "-c", code, str(rank), port, str(tmp_path)] for rank in (0, 1)]
    both = [subprocess.Popen(command, cwd=ROOT) for command in called]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first["weight"] == second["weight"] == [[1.5] * 3] * 2
    assert first["bias"] == second["bias"] == [5.0] * 4
    assert first["agreed"] == second["agreed"] == 0.25
    assert (first["leads"], second["leads"]) == (True, False)
    assert first["seed"] != second["seed"]


def test_one_process_alone_needs_nobody() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.ones(2)
    team = Team()
    team.average([parameter])
    team.leave()
    assert parameter.grad.tolist() == [1.0, 1.0]
    assert (team.agree(0.5, torch.device("cpu")), team.seed(7), team.leads) == (0.5, 7, True)


def test_torchrun_trains_with_two_processes_and_one_of_them_saves(shards: Path, tmp_path: Path) -> None:
    assert main(arguments("codec", shards, tmp_path, "--steps", "1")) == 0
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    launcher += ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
    told = arguments("denoiser", shards, tmp_path, "--steps", "3")
    done = subprocess.run([*launcher, "-m", "synth.training", *told], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    state = torch.load(tmp_path / "denoiser" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 3
    assert all(torch.isfinite(value).all() for value in state["learner"].values() if value.is_floating_point())
