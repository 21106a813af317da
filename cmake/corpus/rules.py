"""Which files of a package are taken: by language, folder, name and size."""

import hashlib
import re

LICENCE_NAME = re.compile(r"^(un)?(licen[cs]e|copying|notice)", re.IGNORECASE)


class Rules:
    def __init__(self, corpus):
        self.languages = corpus["languages"]
        self.most_file_bytes = corpus["most_bytes_of_a_file"]
        self.held_out = set(corpus["held_out_modules"])
        for part in corpus["parts"]:
            if part != "train":
                self.held_out |= {folder_of(e) for e in corpus["parts"][part]}

    def is_source(self, path, language):
        rules = self.languages[language]
        *folders, name = path.lower().split("/")
        return (any(name.endswith(e) for e in rules["extensions"])
                and not any(name.endswith(e) for e in rules["skip_endings"])
                and not any(f in rules["skip_folders"] or f in rules["test_folders"] or f.endswith(".data")
                            for f in folders))

    def is_held_out(self, path):
        """By any folder or file of that name, so that vendored copies are found too."""
        *folders, name = path.split("/")
        return bool(self.held_out & {*folders, name.rsplit(".", 1)[0]})

    def chosen(self, entry, files, held_out):
        """The sorted [(path, read, size)] of one package that are taken. What is too much of one package is left out
        by the hashes of the paths, which favour no folder."""
        taken = [f for f in files if f[2] <= self.most_file_bytes and self._is_taken(entry, f[0])
                 and (held_out or not self.is_held_out(f[0]))]
        total = sum(size for _, _, size in taken)
        most_bytes = self.languages[entry["language"]]["most_bytes_of_a_package"]
        if total > most_bytes and not held_out:
            taken.sort(key=lambda f: hashlib.sha256(f[0].encode()).digest())
            while total > most_bytes:
                total -= taken.pop()[2]
        return sorted(taken, key=lambda f: f[0])

    def _is_taken(self, entry, path):
        if any(path.startswith(p) for p in entry.get("skip", [])):
            return False
        for prefix in entry.get("take", [""]):
            # Only what follows the prefix is judged: a prefix may name a folder that is skipped elsewhere.
            if path.startswith(prefix) and self.is_source(path[len(prefix):] or path, entry["language"]):
                return True
        return False


def folder_of(entry):
    """Its folder in the corpus."""
    return entry.get("folder") or entry["name"].removeprefix("@").replace("/", "-")


def is_licence(path):
    name = path.rsplit("/", 1)[-1]
    return bool(LICENCE_NAME.match(name)) and not re.search(r"\.(py|js|ts|json|h|cc|cpp)$", name)
