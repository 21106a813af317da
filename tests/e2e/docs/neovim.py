"""A real Neovim with the plugin and without a screen, for pages that say to open one."""

import json
import os
import subprocess
import time

PATIENCE_S = 90
READY = ("luaeval('vim.iter(vim.lsp.get_clients({ name = [[weft]] })):any(function(client) "
         "return vim.tbl_get(client:request_sync([[weft/status]], vim.empty_dict(), 1000) or {}, [[result]], [[state]]) "
         "== [[ready]] end)')")


class Neovim:
    def __init__(self, program, plugin, file, folder, environment):
        """Opens `file` of `folder`, and waits until weftd is ready."""
        self.program, self.socket = program, f"{folder}/.nvim.sock"
        self.process = subprocess.Popen(
            [program, "--headless", "--clean", "-n", "--cmd", f"set runtimepath^={plugin}", "--listen", self.socket, file],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait("1")
        self.wait(READY)

    def evaluate(self, expression):
        """What Vim's `expression` is; nothing while nobody answers."""
        asked = subprocess.run([self.program, "--server", self.socket, "--remote-expr", expression],
                               capture_output=True, text=True, timeout=PATIENCE_S)
        return (asked.stdout or asked.stderr).strip() if asked.returncode == 0 else ""

    def wait(self, expression):
        deadline = time.monotonic() + PATIENCE_S
        while self.evaluate(expression) not in ("1", "true", "v:true"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"in Neovim {expression} did not come true")
            time.sleep(0.1)

    def command(self, text):
        self.evaluate(f"execute({json.dumps(text)})")

    def close(self):
        if self.process.poll() is None:
            self.command("qall!")
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if os.path.exists(self.socket):
            os.remove(self.socket)
