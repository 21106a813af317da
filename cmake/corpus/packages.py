"""Packages as files: fetching them through the ordinary package clients, and reading what the clients fetched.

pip fetches wheels (.whl), npm fetches its tarballs (.tgz). Neither installs or runs anything of a package: wheels need no
build, and `npm pack` of a name in the registry only downloads.
"""

import email.parser
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile

from corpus.rules import is_licence

BATCH = 25  # packages that one call of a client fetches


def sha256_of(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def matches(path, entry):
    return path.is_file() and sha256_of(path) == entry["sha256"]


def download(corpus, entries, folder):
    """What is not in `folder` yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = {e["file"]: e for e in entries if not matches(folder / e["file"], e)}
    wheels = [e for e in missing.values() if e["file"].endswith(".whl")]
    tarballs = [e for e in missing.values() if e["file"].endswith(".tgz")]
    for i in range(0, len(wheels), BATCH):
        print(f"downloading wheels, {i} of {len(wheels)}", file=sys.stderr)
        _download_wheels(corpus, wheels[i:i + BATCH], folder)
    for i in range(0, len(tarballs), BATCH):
        print(f"downloading npm packages, {i} of {len(tarballs)}", file=sys.stderr)
        names = [f"{e['name']}@{e['version']}" for e in tarballs[i:i + BATCH]]
        subprocess.run(["npm", "pack", "--ignore-scripts", "--silent", *names], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
    for entry in entries:
        path = folder / entry["file"]
        if not path.is_file():
            raise SystemExit(f"{entry['file']}: was not downloaded")
        if not matches(path, entry):
            raise SystemExit(f"{entry['file']}: expected sha256 {entry['sha256']}, found {sha256_of(path)}")


def _download_wheels(corpus, entries, folder):
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{e['name']}=={e['version']} --hash=sha256:{e['sha256']}\n" for e in entries))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--require-hashes", "--implementation", "cp",
               "--python-version", corpus["python"], "--dest", str(folder), "--requirement", str(requirements)]
    for platform in corpus["platforms"]:
        command += ["--platform", platform]
    subprocess.run(command, check=True)


class Package:
    """An open wheel or tarball."""

    def __init__(self, path):
        self.files = []  # (path, read, bytes)
        if path.suffix == ".whl":
            self._archive = zipfile.ZipFile(path)
            for info in self._archive.infolist():
                if not info.is_dir():
                    self.files.append((info.filename, lambda i=info: self._archive.read(i), info.file_size))
            return
        # Unpacked first: files are read in another order than they lie in.
        self._archive = tarfile.open(fileobj=io.BytesIO(gzip.decompress(path.read_bytes())))
        for info in self._archive:
            if info.isfile():  # all lie below one folder, mostly "package"
                name = info.name.split("/", 1)[-1]
                self.files.append((name, lambda i=info: self._archive.extractfile(i).read(), info.size))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._archive.close()

    def text(self, name):
        return next((read().decode("utf-8", "replace") for path, read, _ in self.files if path == name), "")

    def licence_texts(self, entry):
        """The licence files of the package, or, where only parts of it are taken, those nearest above these. Those of
        compiled or vendored parts lie in deeper folders."""
        if "licence_files" in entry:
            return {name.rsplit("/", 1)[-1]: self.text(name) for name in entry["licence_files"]}
        prefixes = entry.get("take", [""])
        found = [(path, read) for path, read, _ in self.files if is_licence(path)]
        wheel = [f for f in found if ".dist-info/" in f[0]]
        chosen = {}
        for prefix in prefixes:
            above = wheel or [f for f in found if prefix.startswith(f[0].rpartition("/")[0])]
            depth = [f[0].count("/") for f in above]
            best = (min if wheel else max)(depth, default=0)
            chosen |= {path: read for path, read in above if path.count("/") == best}
        return {path.rsplit("/", 1)[-1]: read().decode("utf-8", "replace") for path, read in sorted(chosen.items())}


def pin(path):
    """The entry of a wheel or tarball. The licence is what the package claims, for a person to check."""
    with Package(path) as package:
        if path.suffix == ".whl":
            name = next(n for n, _, _ in package.files if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
            metadata = email.parser.Parser().parsestr(package.text(name))
            licence = str(metadata.get("License-Expression") or metadata.get("License") or "").split("\n")[0][:60]
            if not licence:
                classifiers = [str(c) for c in metadata.get_all("Classifier") or []]
                licence = "; ".join(c.split("::")[-1].strip() for c in classifiers if c.startswith("License"))
            entry = {"name": str(metadata["Name"]).lower(), "version": str(metadata["Version"]), "language": "python"}
        else:
            metadata = json.loads(package.text("package.json"))
            licence = metadata.get("license", "")
            licence = licence if isinstance(licence, str) else licence.get("type", "")
            entry = {"name": metadata["name"], "version": metadata["version"], "language": "javascript"}
    return {**entry, "licence": licence, "file": path.name, "sha256": sha256_of(path)}
