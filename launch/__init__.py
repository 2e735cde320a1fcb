"""How a command becomes many processes: torchrun here, SLURM elsewhere, one process or job per point of a sweep.

Hydra runs once, in the door (``train.py`` ...), never in a rank: ranks and jobs get the resolved configuration as a
plain ``dict``. What a door calls (all cheap to import, nothing heavy on the path):

    launch.select.refuse_torchrun(door)                                -> None      raises LaunchError under torchrun
    launch.select.is_submitted(config)                                 -> bool      launch=slurm, and not inside its job
    launch.select.launcher_for(config, run_dir)                        -> resa.launching.Launcher
    launch.slurm.submit(config, run_dir, door, pipeline="pipeline")    -> int       exit status
    launch.sweep.expand(overrides, config_loader=None)                 -> list[list[str]]
    launch.sweep.run(door, points, launch)                             -> int       exit status

``config``    the resolved configuration; ``config["launch"]`` is a node of conf/launch, ``config["deepspeed"]["name"]``
              decides whether one process still needs a process group.
``run_dir``   the run folder (exists). Jobs, rank logs and the batch script go to ``run_dir/launch/``.
``door``      the door's file name, ``train.py``. Its module must have a function
              ``pipeline(config: dict, run_dir: Path) -> int`` (or the name given to ``submit``): a SLURM job calls
              exactly that, on its first node, without Hydra. ``pipeline`` obtains its launcher by
              ``launcher_for(config, run_dir)``.

So a door reads:

    refuse_torchrun("train.py")
    if multirun:                               # -m / --multirun
        return sweep.run("train.py", sweep.expand(overrides), config["launch"])   # config of the first point
    if is_submitted(config):
        return slurm.submit(config, run_dir, "train.py")
    return pipeline(config, run_dir)

Rules: one process and ``deepspeed=none`` runs in this process, anything else under torchrun. Every job function is
``run(job: dict) -> None``, named ``module:function``; inside, resa/ranks.py tells rank and world.
"""

from __future__ import annotations
