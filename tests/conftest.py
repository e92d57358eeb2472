"""Every test has a folder of its own, and leaves nothing behind."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("long", max_examples=5_000, deadline=None)
settings.register_profile("usual", deadline=None)  # machines are shared, and some are slow
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
