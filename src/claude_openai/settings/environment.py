"""The environment of this process, which is read here and nowhere else."""

import os
from collections.abc import Mapping
from types import MappingProxyType


def process_environment() -> Mapping[str, str]:
    """The environment of this process. The command line reads it once and passes it on."""
    return MappingProxyType(dict(os.environ))
