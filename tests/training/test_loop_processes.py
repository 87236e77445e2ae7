"""The training loop in two processes, started as `accelerate launch` starts them (torchrun)."""

import os
import subprocess
import sys
from pathlib import Path

import torch

SCRIPT = """
import sys
from pathlib import Path

import torch
from torch import nn

from training.loop import Loop, LoopConfig

out = Path(sys.argv[1])
loop = Loop(out, LoopConfig(steps=6, warm=1, rate=0.1, check_every=3))
model = nn.Linear(2, 1)
drawn = []

def step(model, number):
    x = torch.from_numpy(loop.rng.normal(size=(4, 2)).astype("float32"))
    drawn.append(x)
    return {"total": (model(x) - x.sum(1, keepdim=True)).square().mean()}

loop.run(model, step)
rank = loop.accelerator.process_index
torch.save({"weights": model.state_dict(), "drawn": torch.stack(drawn)}, out / f"rank{rank}.pt")
"""


def test_two_processes_draw_apart_and_learn_together(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
               "--nproc_per_node", "2", str(script), str(tmp_path)]  # fmt: skip
    here = Path(__file__).resolve().parents[2]
    free = os.environ | {"PYTHONPATH": str(here), "OMP_NUM_THREADS": "1",
                         "ACCELERATE_USE_CPU": "true"}  # fmt: skip
    done = subprocess.run(command, env=free, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = (torch.load(tmp_path / f"rank{r}.pt", weights_only=True) for r in (0, 1))
    assert not torch.equal(one["drawn"], two["drawn"])
    assert torch.equal(one["weights"]["weight"], two["weights"]["weight"])
    assert (tmp_path / "checkpoint.pt").exists()
    assert (tmp_path / "checkpoint.1.pt").exists()
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3
