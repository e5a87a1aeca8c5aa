"""Writes tests/golden/minatar_space_invaders.json: episodes of the original, step by step, for tests/games.rs.

pip install MinAtar==1.0.15 numpy; python3 tools/games.py
"""

import json
from importlib import metadata, resources, util
from pathlib import Path

import numpy as np

GAME, SEED, PLANES = 'space_invaders', 3, 6


def environment():
    """The game's file itself: the package's __init__ wants a screen."""
    path = resources.files('minatar') / 'environments' / f'{GAME}.py' if util.find_spec('minatar') else None
    spec = util.spec_from_file_location(GAME, path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Env(ramping=True)


def cells(state, plane):
    """A plane as text: a row is ten bits in hexadecimal, the first column the lowest."""
    return ' '.join(f'{int((row << np.arange(10)).sum()):x}' for row in state[:, :, plane].astype(int))


def episode(env, choose, count):
    """Plays `count` steps, with a new episode behind each end; a plane is given where it has changed."""
    env.reset()
    steps, before = [], [None] * PLANES
    for _ in range(count):
        action = int(choose(env))
        reward, end = env.act(action)
        state, step = env.state(), {'a': action, 'r': int(reward), 'end': bool(end)}
        for plane in range(PLANES):
            now = cells(state, plane)
            if now != before[plane]:
                step[str(plane)] = before[plane] = now
        steps.append(step)
        if end:
            env.reset()
    return steps


def hunt(env):
    """Shoots whenever it may and walks below the aliens in between: comes to the second wave."""
    columns = np.flatnonzero(env.alien_map.sum(0))
    danger = env.e_bullet_map[4:, env.pos].any()
    if env.shot_timer == 0 and not danger:
        return 5
    aim = columns[np.abs(columns - env.pos).argmin()]
    if danger:
        return 1 if env.pos > 5 else 3
    return 0 if aim == env.pos else (1 if aim < env.pos else 3)


def main():
    env, rng = environment(), np.random.RandomState(SEED)
    returns = []
    for _ in range(500):
        env.reset()
        total, end, last = 0, False, 0
        while not end:
            last = last if rng.rand() < 0.1 else rng.randint(6)
            reward, end = env.act(last)
            total += reward
        returns.append(total)
    traces = {
        'minatar': metadata.version('MinAtar'),
        'game': GAME,
        'random6_mean_return_500': float(np.mean(returns)),
        'hunt': episode(env, hunt, 300),
        'random': episode(env, lambda env: rng.randint(6), 150),
    }
    out = Path(__file__).parent.parent / 'tests' / 'golden' / 'minatar_space_invaders.json'
    out.write_text(json.dumps(traces, separators=(',', ':')))
    print(out.stat().st_size, traces['random6_mean_return_500'], sum(s['r'] for s in traces['hunt']))


if __name__ == '__main__':
    main()
