"""Properties are tested without a deadline: how long a loaded machine takes for an example proves nothing."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
