"""Stable-Baselines3 on the street, dressed in the pictures of a bank where one is named.

pip install "hartsim[rl]"
python docs/examples/sb3.py --steps 100000 [--bank bank]

`hartsim train policy --method ppo` does this with checkpoints and settings.
"""

import argparse

import gymnasium as gym
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import hartsim  # noqa: F401
from hartsim.adapters.gymnasium.textures import TextureRandomization


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenario", default="boxes_then_walker")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--size-px", type=int, default=64)
    parser.add_argument("--bank", help="a bank of textures to wear, of `hartsim bank build`")
    asked = parser.parse_args()
    torch.set_num_threads(1)

    def make() -> gym.Env:
        env = gym.make("HartSim/Street-v0", scenario=asked.scenario, size_px=asked.size_px)
        return TextureRandomization(env, asked.bank) if asked.bank else env

    envs = make_vec_env(make, n_envs=2, seed=0)
    model = PPO("CnnPolicy", envs, n_steps=256, batch_size=128, n_epochs=4, gamma=0.98, seed=0)
    model.learn(asked.steps)
    mean, deviation = evaluate_policy(model, envs, n_eval_episodes=4)
    print(f"reward {mean:.2f} +- {deviation:.2f}")
    envs.close()


if __name__ == "__main__":
    main()
