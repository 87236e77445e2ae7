"""One run of the optimisation: a picture a step, more Gaussians from time to time.

Not `training.loop`: there the number of parameters stands still and their average is kept; here
it grows. Like there, a run that was stopped and resumed ends with the same bytes: whatever is
drawn at random depends on the seed and the step alone.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.avatar.dataset import Scene, View
from training.avatar.density import Watch, choose, rearranged
from training.avatar.losses import picture_loss, stray, swell
from training.avatar.model import NAMES, BoundGaussians

RATES = {"mu": 5e-3, "turn": 5e-3, "scale_log": 1.5e-2, "opacity_logit": 4e-2, "base": 1.5e-2,
         "sides": 2e-3}  # fmt: skip
LAST_RATE = 0.05  # share of each rate that is left in the end


@dataclass(frozen=True)
class AvatarTraining:
    """seed; steps; stop: end earlier (0 = not); count: Gaussians to reach; coarse: share of the
    steps on pictures of half the size; grow: (first, last, times): shares of the steps between
    which Gaussians are divided, and how often; l1, dssim, solid, stray, swell: weights of losses.
    """

    seed: int = 1
    steps: int = 3000
    stop: int = 0
    count: int = 50_000
    coarse: float = 0.3
    grow: tuple[float, float, int] = (0.3, 0.6, 2)
    l1: float = 0.6
    dssim: float = 0.4
    solid: float = 0.1
    stray: float = 1e-2
    swell: float = 1.0

    @property
    def last(self) -> int:
        return self.stop or self.steps

    def goals(self, start: int) -> dict[int, int]:
        """After which step how many Gaussians there shall be, from `start` on evenly."""
        first, last, times = self.grow
        return {round(self.steps * (first + (last - first) * i / max(1, times - 1))):
                round(start + (self.count - start) * (i + 1) / times) for i in range(times)}


class Optimisation:
    """The model, its optimiser, and what is known about the Gaussians since they last changed."""

    def __init__(self, scene: Scene, coarse: Scene, config: AvatarTraining,
                 model: BoundGaussians):
        """coarse: the same scene with smaller pictures."""
        self.scene, self.coarse, self.config = scene, coarse, config
        self.start = len(model.triangle)
        self._adopt(model, {})

    def step(self, number: int) -> dict[str, float]:
        """One picture; returns its losses."""
        view = self.view(number)
        random = np.random.default_rng([self.config.seed, 1, number])
        background = torch.from_numpy(random.random(3).astype(np.float32))
        real, cover = (t.to(self.device) for t in view.target(background))
        drawn = self.model(self.scene.vertices[view.moment], self.scene.faces, view.camera)
        made = drawn.picture + background.to(self.device) * (1 - drawn.solid[..., None])
        terms = picture_loss(made, real)
        terms |= {"solid": (drawn.solid - cover).abs().mean(),
                  "stray": stray(self.model.mu), "swell": swell(self.model.scale_log)}
        total = sum(getattr(self.config, name) * value for name, value in terms.items())
        self.optimiser.zero_grad()
        total.backward()
        if not math.isfinite(float(total.detach())):
            raise FloatingPointError(f"The loss is not finite at step {number}.")
        self._turn_down(number)
        self.optimiser.step()
        # In shares of the picture, so that coarse and fine pictures pull alike.
        self.watch.add(drawn.spots.grad.cpu() * view.camera.width, drawn.use.cpu())
        goal = self.config.goals(self.start).get(number + 1)
        if goal:
            self._grow(goal)
        return {k: float(v.detach()) for k, v in (terms | {"total": total}).items()}

    @property
    def device(self) -> torch.device:
        return self.model.mu.device

    def view(self, number: int) -> View:
        """The picture of a step: all in turn, in an order of their own each round."""
        early = number < self.config.coarse * self.config.steps
        views = (self.coarse if early else self.scene).train
        lap, place = divmod(number, len(views))
        order = np.random.default_rng([self.config.seed, 0, lap]).permutation(len(views))
        return views[order[place]]

    def state_dict(self) -> dict:
        """Tensors and numbers, as `torch.load(weights_only=True)` takes them."""
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(),
                "watch": self.watch.state_dict(), "start": self.start}

    def load_state_dict(self, state: dict) -> None:
        values = {k: state["model"][k] for k in NAMES}
        self.start = state["start"]
        self._adopt(BoundGaussians(state["model"]["triangle"], values), {})
        self.optimiser.load_state_dict(state["optimiser"])
        self.watch.load_state_dict(state["watch"])

    def _turn_down(self, number: int) -> None:
        share = LAST_RATE ** (number / max(1, self.config.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = RATES[group["name"]] * share

    def _grow(self, goal: int) -> None:
        kept, rows = choose(self.watch, goal, len(self.scene.train))
        kept, rows = kept.to(self.device), rows.to(self.device)
        state = {}
        for group in self.optimiser.param_groups:
            old = self.optimiser.state[group["params"][0]]
            moments = {k: torch.cat([old[k][kept], torch.zeros_like(old[k][rows])])
                       for k in ("exp_avg", "exp_avg_sq")}
            state[group["name"]] = moments | {"step": old["step"]}
        self._adopt(rearranged(self.model, kept, rows), state)

    def _adopt(self, model: BoundGaussians, state: dict[str, dict[str, Tensor]]) -> None:
        self.model = model
        groups = [{"params": [getattr(model, n)], "name": n, "lr": RATES[n]} for n in NAMES]
        self.optimiser = torch.optim.Adam(groups, eps=1e-15)
        for group in self.optimiser.param_groups:
            if group["name"] in state:
                self.optimiser.state[group["params"][0]] = state[group["name"]]
        self.watch = Watch(len(model.triangle))
