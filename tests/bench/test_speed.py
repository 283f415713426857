import re
from pathlib import Path

import pytest
import torch

from bench import speed, stock
from synth.models.tiny import TinyModel
from synth.types import GenerationRequest


def test_the_quick_report_has_every_table_and_its_command_on_the_first_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speed.main(["--quick", "--model", "tiny", "--out", str(tmp_path / "bench.md")])
    text = (tmp_path / "bench.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text + "\n"
    assert text.splitlines()[0].startswith("`python -m bench.speed --quick --model tiny")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Speed",
        "## One image",
        "## A batch of 8, 4 steps",
        "## One edit, 256 px, 4 steps",
        "## The same networks through a stock diffusers loop, 4 steps",
        "## Diffusion on latents and on pixels, one step of the same U-Net (32, 32, 32), CPU, fp32",
    ]
    assert [row.split("|")[1].strip() for row in re.findall(r"^\| \d+ \|.*$", text, re.MULTILINE)] == ["2", "4"]


def test_edits_alone_renew_their_section_and_leave_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "bench.md"
    file.write_text("# Speed\n\n## One edit, 256 px, 4 steps\n\nold\n\n## Last\n\nkept\n", encoding="utf-8")
    speed.main(["--quick", "--edit", "--model", "tiny", "--out", str(file)])
    text = file.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Speed",
        "## One edit, 256 px, 4 steps",
        "## Last",
    ]
    assert "old" not in text and text.endswith("kept\n")
    assert re.findall(r"^\| (add a finding|remove a lesion|vary)", text, re.MULTILINE)[:2] == [
        "add a finding",
        "remove a lesion",
    ]


def test_the_stock_loop_draws_the_same_picture(tiny_model: TinyModel) -> None:
    request = GenerationRequest(seed=3, steps=12, guidance=1.0)
    ours, theirs = stock.ours(tiny_model, request), stock.theirs(tiny_model, request)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-3)  # half a grey level


def test_the_batch_ratio_is_together_over_one_by_one(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "draw", lambda model, requests: {1: 2.0, 8: 12.0}[len(requests)])
    table = speed.batch_table(tiny_model, GenerationRequest(), speed.QUICK)
    assert table.splitlines()[-1] == "| 12.00 | 16.00 | 0.75 |"


def test_peak_memory_is_that_of_a_torch_process_in_megabytes() -> None:
    assert 50 < speed.peak_mb() < 20_000
