"""PPO in one loop on a vector of environments, to copy and change.

python docs/examples/ppo_loop.py --steps 200000 [--bank bank]

After CleanRL's way of writing: everything in one place, nothing hidden. Algorithm: PPO, arXiv
1707.06347, with generalised advantage estimation, arXiv 1506.02438.
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

import hartsim  # noqa: F401
from hartsim.adapters.gymnasium.textures import TextureRandomization

ENVS, ROLLOUT, EPOCHS, BATCH = 4, 128, 4, 128
DISCOUNT, TRACE, CLIP, ENTROPY, RATE = 0.98, 0.95, 0.2, 0.01, 3e-4


class Agent(nn.Module):
    """Pictures (B, H, W, 3) to scores of actions (B, A) and values (B,)."""

    def __init__(self, actions: int, size_px: int) -> None:
        super().__init__()
        self.eye = nn.Sequential(
            *(nn.Conv2d(3, 16, 8, stride=4), nn.ReLU()),
            *(nn.Conv2d(16, 32, 4, stride=2), nn.ReLU()),
            nn.Flatten(),
        )
        seen = self.eye(torch.zeros(1, 3, size_px, size_px)).shape[1]
        self.body = nn.Sequential(nn.Linear(seen, 256), nn.ReLU())
        self.actor, self.critic = nn.Linear(256, actions), nn.Linear(256, 1)

    def forward(self, pictures: Tensor) -> tuple[Categorical, Tensor]:
        hidden = self.body(self.eye(pictures.permute(0, 3, 1, 2).float() / 255 - 0.5))
        return Categorical(logits=self.actor(hidden)), self.critic(hidden)[:, 0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenario", default="boxes_then_walker")
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--size-px", type=int, default=64)
    parser.add_argument("--bank", help="a bank of textures to wear, of `hartsim bank build`")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    torch.set_num_threads(1)
    wrappers = [lambda env: TextureRandomization(env, asked.bank)] if asked.bank else []
    envs = gym.make_vec(
        "HartSim/Street-v0",
        ENVS,
        vectorization_mode="sync",
        wrappers=wrappers,
        scenario=asked.scenario,
        actions="discrete",
        size_px=asked.size_px,
    )
    agent = Agent(int(envs.single_action_space.n), asked.size_px)
    optimizer = torch.optim.Adam(agent.parameters(), lr=RATE, eps=1e-5)
    seen, _ = envs.reset(seed=asked.seed)
    over = np.zeros(ENVS, bool)
    ended: list[bool] = []
    for start in range(0, asked.steps, ENVS * ROLLOUT):
        rows = []
        for _ in range(ROLLOUT):
            with torch.no_grad():
                chances, value = agent(torch.from_numpy(seen))
                action = chances.sample()
            after, reward, terminated, truncated, info = envs.step(action.numpy())
            # In NEXT_STEP mode the step after an end only resets: nothing is learned from it.
            rows.append((seen, action, chances.log_prob(action), value, reward, over))
            over, seen = terminated | truncated, after
            ended += [bool(info["success"][i]) for i in np.flatnonzero(over)]
        with torch.no_grad():
            last = agent(torch.from_numpy(seen))[1]
        learn(agent, optimizer, rows, last, over)
        if ended:
            share = np.mean(ended[-50:])
            print(f"steps={start + ENVS * ROLLOUT} episodes={len(ended)} success={share:.2f}")
    envs.close()


def learn(agent: Agent, optimizer: torch.optim.Optimizer, rows: list, last: Tensor, over) -> None:
    """One update from a rollout."""
    seen, actions, logs, values, rewards, resets = zip(*rows, strict=True)
    pictures = torch.from_numpy(np.stack(seen))
    actions, logs, values = (torch.stack(each) for each in (actions, logs, values))
    rewards = torch.from_numpy(np.stack(rewards)).float()
    resets = torch.from_numpy(np.stack([*resets, over]))  # row t: step t is a reset
    gains, gain = torch.zeros_like(values), torch.zeros(ENVS)
    following = torch.cat([values[1:], last[None]])
    for t in reversed(range(len(rows))):
        alive = (~resets[t + 1]).float()
        error = rewards[t] + DISCOUNT * following[t] * alive - values[t]
        gain = error + DISCOUNT * TRACE * alive * gain
        gains[t] = gain
    kept = ~resets[:-1].flatten()
    pictures, actions, logs, gains, goals = (
        each.flatten(0, 1)[kept] for each in (pictures, actions, logs, gains, gains + values)
    )
    gains = (gains - gains.mean()) / (gains.std() + 1e-8)
    for _ in range(EPOCHS):
        for picks in torch.randperm(len(goals)).split(BATCH):
            chances, value = agent(pictures[picks])
            ratio = (chances.log_prob(actions[picks]) - logs[picks]).exp()
            clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
            policy = -torch.minimum(ratio * gains[picks], clipped * gains[picks]).mean()
            error = (value - goals[picks]).square().mean()
            loss = policy + 0.5 * error - ENTROPY * chances.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()


if __name__ == "__main__":
    main()
