"""The one step of building that pyproject.toml cannot say: the translations are compiled before files are collected."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent / "src"))

from changke.cli.messages import compile_catalogue


class BuildWithMessages(build_py):
    """Compile the catalogue, then build as usual."""

    def run(self) -> None:
        compile_catalogue()
        super().run()


setup(cmdclass={"build_py": BuildWithMessages})
