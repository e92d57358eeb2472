"""The page behind nginx, with the configuration that the operator's guide shows."""

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, needs
from tests.e2e.people import Plain
from tests.e2e.proxy import free_port, opens_websocket, proxy
from tests.e2e.tab import Tab
from tests.e2e.test_web import page_port
from tests.pages import block

pytestmark = pytest.mark.e2e

GUIDE = "docs/operating.md"

AROUND = """
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    server {
        listen 127.0.0.1:PORT;
        LOCATION
    }
}
"""
"""What every configuration of nginx has, for one process that keeps all its files in a folder."""


@contextmanager
def nginx(folder: Path, page: int) -> Iterator[int]:
    """nginx in front of the page at a port; gives the port of nginx."""
    port = free_port()
    location = block(GUIDE, "nginx", "proxy_pass").replace(":8080", f":{page}")
    around = AROUND.replace("PORT", str(port)).replace("LOCATION", location)
    (folder / "nginx.conf").write_text(around)
    with proxy(folder, port, "nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "nginx.log"):
        yield port


def test_the_page_works_behind_nginx(start: Start, tmp_path: Path) -> None:
    needs("nginx")
    (tmp_path / "bans").write_text("127.0.0.9\n")
    options = block(GUIDE, "toml", "web-proxy").replace("tcp:8080:", "tcp:0:")
    (tmp_path / "chat.toml").write_text(options)
    server = start("--config", "chat.toml", "--ban-file", "bans")
    ann = Plain(server.port, "ann")
    with nginx(tmp_path, page_port(server)) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
            html = answer.read().decode()
        for path in re.findall(r'(?:href|src)="(/page/[^"]+)"', html):
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE).close()
        ben = Tab(port, "ben")
        ben.gets(event="state")
        ben.says("hello from the page")
        ann.sees("ben: hello from the page")
        ann.types("hello from netcat")
        ben.gets(event="message", text="hello from netcat")
        ben.does(do="command", text="/upload", ref="u")
        path = urlsplit(ben.gets(event="answer", ref="u")["url"]).path
        put = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}report.pdf", bytes(9_000_000), method="PUT"
        )
        with urllib.request.urlopen(put, timeout=PATIENCE) as answer:
            sent = urlsplit(answer.read().decode().strip()).path
        ann.sees("ben sent report.pdf (9.0 MB): ")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{sent}", timeout=PATIENCE) as answer:
            assert answer.read() == bytes(9_000_000)
        # The server bans the address that nginx tells it, not that of nginx.
        assert b'"code":"banned"' in opens_websocket(port, "127.0.0.9")
