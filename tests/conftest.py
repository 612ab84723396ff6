"""What holds for every test: none is timed, and random ones are the same in every run."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None, derandomize=True)
settings.load_profile("untimed")
