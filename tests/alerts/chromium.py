"""Debian's Chromium, headless: pages in frames of several widths, asked by a script of ours beside them.

A page has a policy that forbids scripts, so the asking is done from outside: a page of the test holds the page under
test in frames, reads their documents, and writes what it found where `--dump-dom` prints it. No network: names
resolve to nothing.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 180
A4_WIDTH = 688  # pixels at 96 to the inch between margins of 14 mm

_FOUND = re.compile(r'<script type="application/json" id="found">(.*?)</script>', re.DOTALL)
_CONSOLE = re.compile(r"CONSOLE[^\]]*\] (.*)")

_HARNESS = """<!doctype html><meta charset="utf-8"><style>iframe {{ border: 0; height: 900px; }}</style>
{frames}
<script>
{checks}
addEventListener("load", () => {{
  const found = {{}};
  for (const frame of document.querySelectorAll("iframe"))
    found[frame.title] = ask(frame.contentDocument, frame.contentWindow);
  const element = document.createElement("script");
  element.type = "application/json";
  element.id = "found";
  element.textContent = JSON.stringify(found).replaceAll("<", "\\\\u003c");
  document.body.append(element);
}});
</script>"""


@dataclass(frozen=True)
class Answer:
    """What the script found in each frame, and what the browser had to say."""

    frames: dict[str, Any]
    console: list[str]


class Chromium:
    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        self._runs = 0

    @staticmethod
    def program() -> str | None:
        return shutil.which("chromium")

    def ask(self, pages: dict[str, tuple[Path, int]], checks: str, dark: bool = False) -> Answer:
        """Run `checks`, which defines `ask(document, window)`, on each named (page, width in pixels)."""
        frames = "\n".join(
            f'<iframe title="{html.escape(name)}" src="{path.as_uri()}" width="{width}"></iframe>'
            for name, (path, width) in pages.items()
        )
        harness = self._directory / "harness.html"
        harness.write_text(_HARNESS.format(frames=frames, checks=checks), encoding="utf-8")
        done = self._run(
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--dump-dom",
            harness.as_uri(),
        )
        found = _FOUND.search(done.stdout)
        assert found, f"the page was not asked: {done.stderr[-2000:]}"
        return Answer(json.loads(found.group(1)), _CONSOLE.findall(done.stderr))

    def pdf(self, page: Path) -> bytes:
        target = self._directory / "page.pdf"
        self._run("--no-pdf-header-footer", f"--print-to-pdf={target}", page.as_uri())
        return target.read_bytes()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self._runs += 1
        command = [
            self._program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={self._directory / f'profile-{self._runs}'}",
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
