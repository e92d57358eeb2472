"""The operator looks after accounts, beside a real server and without one."""

import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import run
from tests.e2e.server import ENVIRONMENT

pytestmark = pytest.mark.e2e

ADMIN = (sys.executable, "-c", "from twisted_chat.service.admin import main; main()")


def admin(folder: Path, *arguments: str, typed: str = "", status: int = 0) -> str:
    """What the operator's command writes."""
    done = run(*ADMIN, *arguments, cwd=folder, env=ENVIRONMENT, said=typed)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_accounts_are_changed_while_the_server_is_stopped(start: Start, tmp_path: Path) -> None:
    made = admin(tmp_path, "create", "alice", "--admin", typed="correct horse\n")
    assert made == "alice is registered as an administrator\n"
    server = start()
    assert "another twisted-chat uses the database" in admin(tmp_path, "lock", "alice", status=1)
    assert "alice: last used" in admin(tmp_path, "list")
    exported = admin(tmp_path, "export")
    assert "$argon2id$v=19$m=47104,t=1,p=1$" in exported
    server.stop()
    assert admin(tmp_path, "lock", "alice") == "alice is locked\n"
    start().stop()
    assert "administrator, locked" in admin(tmp_path, "list")
    (tmp_path / "accounts.ndjson").write_text(exported.splitlines()[0])
    assert admin(tmp_path, "--db", "new.sqlite", "import", "accounts.ndjson") == "1 account\n"


def test_a_server_asks_the_sites_checker(start: Start, tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("alice:correct horse\n")
    start("--auth", "file:passwords", "--name-expiry", "off")
