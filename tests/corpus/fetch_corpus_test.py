"""Tests of cmake/fetch_corpus.py on packages made here. Needs no network: what is already there is not downloaded."""

import hashlib
import io
import json
import pathlib
import sys
import tarfile
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "cmake"))

import fetch_corpus  # noqa: E402
from corpus import packages  # noqa: E402
from corpus.describe import describe  # noqa: E402
from corpus.rules import Rules  # noqa: E402

LANGUAGES = {
    "python": {"extensions": [".py"], "skip_endings": ["_pb2.py"], "skip_folders": ["_vendor"],
               "test_folders": ["tests"], "most_bytes_of_a_package": 1000},
    "javascript": {"extensions": [".js", ".ts"], "skip_endings": [".d.ts", ".min.js"], "skip_folders": ["dist"],
                   "test_folders": ["test"], "most_bytes_of_a_package": 1000},
}


def wheel(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def tarball(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo("package/" + name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))


class FetchCorpusTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.downloads = self.root / "downloads"
        self.downloads.mkdir()
        wheel(self.downloads / "oak.whl", {
            "oak/leaf.py": "a = 1\n", "oak/tests/leaf.py": "b = 1\n", "oak/_vendor/x.py": "c = 1\n",
            "oak/wire_pb2.py": "d = 1\n", "oak/fern/copy.py": "e = 1\n", "oak/moss.py": "fern_moss = 1\n",
            "oak.dist-info/METADATA": "Name: Oak\nVersion: 1\nLicense-Expression: MIT\n", "oak.dist-info/LICENSE": "Be fair."})
        wheel(self.downloads / "fern.whl", {"fern/moss.py": "fern_moss = 1\n", "fern.dist-info/LICENSE": "Be kind."})
        tarball(self.downloads / "elm.tgz", {
            "src/z.ts": "z", "src/a.js": "a", "src/a.d.ts": "a", "src/a.min.js": "a", "dist/a.js": "a", "lib/b.js": "b",
            "LICENSE": "Be good.", "package.json": json.dumps({"name": "@tree/elm", "version": "2", "license": "ISC"})})
        self.corpus = {
            "python": "3", "platforms": [], "held_out_modules": [], "most_bytes_of_a_file": 100,
            "languages": LANGUAGES, "tree_sha256": {},
            "standard_library": {"name": "library", "version": "0", "licence": "PSF-2.0", "skip": [""]},
            "parts": {"train": [self.entry("oak", "oak.whl", "python"),
                                self.entry("@tree/elm", "elm.tgz", "javascript", take=["src/"])],
                      "heldout": [self.entry("fern", "fern.whl", "python")]}}

    def entry(self, name, file, language, **more):
        return {"name": name, "version": "1", "licence": "MIT", "file": file, "language": language,
                "sha256": packages.sha256_of(self.downloads / file), **more}

    def build(self, out="out"):
        return fetch_corpus.build(self.corpus, self.root / out, self.downloads)

    def files(self, part):
        folder = self.root / "out" / part
        return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}

    def test_takes_sources_and_licences_and_nothing_that_is_held_out(self):
        self.build()
        self.assertEqual(self.files("train"), {"oak/oak/leaf.py", "oak/LICENSE", "tree-elm/src/a.js", "tree-elm/src/z.ts",
                                               "tree-elm/LICENSE", "licences.json"})
        self.assertEqual(self.files("heldout"), {"fern/fern/moss.py", "fern/LICENSE", "licences.json"})

    def test_gives_the_same_tree_twice_and_notices_another(self):
        first, second = self.build()[0].sha256(), self.build("again")[0].sha256()
        self.assertEqual(first, second)
        self.corpus["tree_sha256"] = first
        fetch_corpus.check(self.corpus, second)
        del self.corpus["parts"]["train"][0]
        with self.assertRaises(SystemExit):
            fetch_corpus.check(self.corpus, self.build()[0].sha256())

    def test_notices_a_package_with_another_sha256(self):
        entry = {**self.corpus["parts"]["train"][0], "sha256": hashlib.sha256(b"").hexdigest()}
        self.assertFalse(packages.matches(self.downloads / "oak.whl", entry))

    def test_refuses_a_path_that_leaves_its_folder(self):
        for path in ("oak/../../x.py", "/x.py"):
            with self.assertRaises(SystemExit):
                fetch_corpus.Tree(self.root / "out").write("train", path, b"x")

    def test_cuts_a_large_package_the_same_way_whatever_the_order(self):
        rules, entry = Rules(self.corpus), self.corpus["parts"]["train"][0]
        files = [(f"oak/{i}.py", None, 90) for i in range(40)]
        chosen = rules.chosen(entry, files, False)
        self.assertEqual(chosen, rules.chosen(entry, files[::-1], False))
        self.assertEqual(len(chosen), 11)
        self.assertEqual(len(rules.chosen(entry, files, True)), 40)

    def test_the_notice_has_each_licence_text_once_and_every_owner(self):
        fair, kind = "Copyright (c) 2020 Ann\n\nBe fair, see https://x.org.", "Copyright (c) 2021 Bob\nBe  fair,\nsee http://x.org."
        rows = [fetch_corpus.Row(self.entry(name, "oak.whl", "python"), "train", 1, 2, {"LICENSE": text})
                for name, text in (("oak", fair), ("elm", kind), ("ash", "Be good."))]
        (self.root / "DATA_CARD.md").write_text("# Card\n<!-- corpus -->\nold\n<!-- end of corpus -->\nend\n")
        describe(rows, self.root)
        notice, card = ((self.root / name).read_text() for name in ("NOTICE", "DATA_CARD.md"))
        self.assertEqual(notice.lower().count("fair"), 1)
        for line in ("oak 1: MIT (text 1)", "elm 1: MIT (text 1)", "ash 1: MIT (text 2)", "2020 Ann", "2021 Bob"):
            self.assertIn(line, notice)
        self.assertNotIn("old", card)
        self.assertIn("| train | python | ash | 1 | MIT | 1 | 2 |", card)
        self.assertTrue(card.endswith("<!-- end of corpus -->\nend\n"))

    def test_pins_what_the_packages_say_of_themselves(self):
        pinned = packages.pin(self.downloads / "elm.tgz")
        self.assertEqual((pinned["name"], pinned["version"], pinned["licence"]), ("@tree/elm", "2", "ISC"))
        self.assertEqual(packages.pin(self.downloads / "oak.whl")["name"], "oak")


if __name__ == "__main__":
    unittest.main()
