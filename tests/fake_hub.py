"""A hub on this machine: enough of the real one's interface to pull models from it."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE_BYTES = 10_000
"""Of larger files the hub says the sha256."""

INFO = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?")
FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")

Files = dict[str, bytes]


@dataclass
class FakeHub:
    """Repositories, what was asked for, and what goes wrong."""

    repos: dict[str, dict[str, Files]] = field(default_factory=dict)
    """Per repository and commit, oldest first, the files."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and range of every request for a file's bytes."""
    cut: dict[str, tuple[int, int]] = field(default_factory=dict)
    """File names at which the connection breaks, after how many bytes and how many times."""
    url: str = ""
    down: int = 0
    """A status that answers every request, or 0."""

    def publish(self, repo: str, files: Files) -> str:
        """Add a commit to a repository; its hash."""
        commits = self.repos.setdefault(repo, {})
        commit = hashlib.sha1(f"{repo} {len(commits)}".encode()).hexdigest()
        commits[commit] = files
        return commit

    def publish_folder(self, repo: str, folder: Path) -> str:
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return self.publish(repo, {str(p.relative_to(folder)): p.read_bytes() for p in paths})

    def commit_of(self, repo: str, revision: str) -> str | None:
        """`main` is the last commit."""
        commits = self.repos[repo]
        return (
            list(commits)[-1] if revision == "main" else next(iter({revision} & {*commits}), None)
        )

    def fetched(self) -> list[str]:
        """Names of the files whose bytes were asked for, in order."""
        return [FILE.fullmatch(path)[3] for method, path, _ in self.asked if method == "GET"]

    @contextmanager
    def served(self) -> Iterator["FakeHub"]:
        hub = self

        class Handler(FakeHubHandler):
            pass

        Handler.hub = hub
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class FakeHubHandler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if self.hub.down:
            self.refuse(self.hub.down, "")
        elif found := FILE.fullmatch(path):
            self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
            self.file(*found.groups())
        elif found := INFO.fullmatch(path):
            self.info(found[1], found[2] or "main")
        else:
            self.refuse(404, "")

    def info(self, repo: str, revision: str) -> None:
        if repo not in self.hub.repos:
            return self.refuse(404, "RepoNotFound")
        commit = self.hub.commit_of(repo, revision)
        if commit is None:
            return self.refuse(404, "RevisionNotFound")
        siblings = [sibling(n, content) for n, content in self.hub.repos[repo][commit].items()]
        answer = json.dumps({"id": repo, "sha": commit, "siblings": siblings}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def file(self, repo: str, revision: str, name: str) -> None:
        files = self.hub.repos.get(repo, {}).get(revision)
        if files is None or name not in files:
            return self.refuse(404, "EntryNotFound")
        content = files[name]
        start = int(re.sub(r"bytes=(\d+)-", r"\1", self.headers.get("Range", "bytes=0-")))
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", revision)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self.send_body(name, content[start:])

    def send_body(self, name: str, body: bytes) -> None:
        after, times = self.hub.cut.get(name, (0, 0))
        if not times:
            self.wfile.write(body)
            return
        self.hub.cut[name] = (after, times - 1)
        self.wfile.write(body[:after])
        self.close_connection = True

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def sibling(name: str, content: bytes) -> dict[str, object]:
    told: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
    if len(content) > LARGE_BYTES:
        sha256 = hashlib.sha256(content).hexdigest()
        told["lfs"] = {"size": len(content), "sha256": sha256, "pointerSize": 130}
    return told
