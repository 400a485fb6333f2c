"""Settings of the tests: the real ones, in a home of their own, as the role that may create test databases."""

import os
from pathlib import Path

from changke.config.home import home_folder, prepare_home

os.environ.setdefault("CHANGKE_HOME", str(Path(__file__).resolve().parents[3] / ".changke-test"))
os.environ.update({"CHANGKE_ROLE": "owner", "CHANGKE_ENV": "test", "CHANGKE_LOG_LEVEL": "ERROR"})
prepare_home(home_folder(os.environ))

from changke.config.settings import *  # noqa: E402, F403 - the environment must stand before the settings are read
