"""From a command line to a checked configuration, in under two seconds and without torch.

compose.py         Hydra's composition, opened once
overrides.py       each override against groups, choices and keys; every mistake found, none stops the search
nodes.py           each node with a ``_target_`` against its dataclass, then built
contradictions.py  choices that are fine alone and not together
secrets.py         what must not be in a configuration, a log or a tracker
command.py         the whole way, and Hydra's own questions (``--help``, ``--cfg`` ...) handed to Hydra
"""
