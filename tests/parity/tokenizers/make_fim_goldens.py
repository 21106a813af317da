"""Makes golden/fim.json: the ids of infilling prompts, as each family's own code would put them together.

    make_fim_goldens.py      needs tokenizers 0.23.3 and sentencepiece 0.2.3, development only

The tokenizers are those that make_goldens.py made. A prompt is a list of runs: control tokens by id, and between them
texts, each encoded as a whole by the reference in which no control string is a token. The prefix is a run of its own
behind what announces it, because its beginning has to stay as it is from key to key. Families that share a tokenizer
but not its control tokens bring ids of their own for these. Texts with the mark of a space are not for SentencePiece,
which weft tells from one: null.
"""

import json
import pathlib

import sentencepiece
import tokenizers

from make_goldens import GEMMA_CONTROLS, MARK, OUT, model_pb2, plain, processor, reference, write_json

assert (tokenizers.__version__, sentencepiece.__version__) == ("0.23.3", "0.2.3")

ADD = "def add(a, b):\n    return a + b\n"
CASES = [
    {"prefix": "import os\n\n\ndef size(path):\n    ", "suffix": "\n\n\nprint(size('.'))\n"},
    {"prefix": "", "suffix": "\nx = 1\n"},
    {"prefix": "x = ", "suffix": ""},
    {"prefix": "", "suffix": ""},
    {"prefix": "    naïve = 'é漢🐢'\n\ty = ", "suffix": "  # done\n"},
    {"prefix": "s = '<fim_prefix><|fim_suffix|><fim-middle><|file_sep|>", "suffix": "[PREFIX]<[fim-prefix]>[SUFFIX]</s>'\n"},
    {"prefix": "s = '<｜fim▁begin｜>▁<PRE>", "suffix": "▁<SUF>'<｜fim▁end｜>\n"},
    {"prefix": "x = ", "suffix": "\n", "repository": "sizes", "path": "src/size.py", "context": [["src/add.py", ADD]]},
    {"prefix": "\n    x = ", "suffix": "", "repository": "sizes", "path": "size.py",
     "context": [["add.py", "\n" + ADD], ["more/<fim_suffix>.py", "    pass  # <|repo_name|><filename>"]]},
    {"prefix": "x = ", "suffix": "\n", "path": "size.py", "context": [["add.py", ADD]]},
]


class ByteLevel:
    def __init__(self, name):
        spec = json.loads((OUT / name / "tokenizer.json").read_text())
        self.controls = {t["content"]: t["id"] for t in spec["added_tokens"]}
        self.exact = reference(plain(spec))

    def encode(self, text):
        return self.exact.encode(text).ids

    start = encode


class SentencePiece:
    """Ids of a text that goes on behind something: Meta's and Mistral's code put a character in front and take its ids
    off again, so that no space comes before the text."""

    def __init__(self, name, controls, sentinel=True):
        proto = model_pb2.ModelProto()
        proto.ParseFromString((OUT / name / "tokenizer.model").read_bytes())
        self.controls = {p.piece: i for i, p in enumerate(proto.pieces) if p.piece in controls}
        for piece in proto.pieces:
            if piece.piece in controls:
                piece.type = 3
        self.own, self.sentinel = processor(proto), "☺" if sentinel else ""

    def start(self, text):
        return self.own.encode(text)

    def encode(self, text):
        before = self.own.encode(self.sentinel)
        ids = self.own.encode(self.sentinel + text)
        assert ids[:len(before)] == before
        return ids[len(before):]


def announced(case, name, before, end="\n"):
    """Control tokens and texts of the files before the one to fill in, and that one's path."""
    runs = []
    if before and "repository" in case:
        runs += [[before], case["repository"] + end]
    for path, text in case["context"]:
        runs += [[name], f"{path}\n{text}"]
    return runs


def qwen(case):
    runs = announced(case, "<|file_sep|>", "<|repo_name|>") + [["<|file_sep|>"], case["path"] + "\n"] if "context" in case else []
    return [*runs, ["<|fim_prefix|>"], case["prefix"], ["<|fim_suffix|>"], case["suffix"], ["<|fim_middle|>"]]


def starcoder2(case):
    runs, path = [], ""
    if "context" in case:
        runs, path = announced(case, "<file_sep>", "<repo_name>", "") + [["<file_sep>"]], case["path"] + "\n"
    return [*runs, ["<fim_prefix>"], path, case["prefix"], ["<fim_suffix>"], case["suffix"], ["<fim_middle>"]]


def starcoder(case):
    runs = announced(case, "<filename>", "<reponame>", "") + [["<filename>"], case["path"] + "\n"] if "context" in case else []
    return [*runs, ["<fim_prefix>"], case["prefix"], ["<fim_suffix>"], case["suffix"], ["<fim_middle>"]]


def mellum(case):
    runs = announced(case, "<filename>", None) + [["<filename>"], case["path"] + "\n"] if "context" in case else []
    return [*runs, ["<fim_suffix>"], case["suffix"], ["<fim_prefix>"], case["prefix"], ["<fim_middle>"]]


def between(first, second, third):
    return lambda case: [[first], case["prefix"], [second], case["suffix"], [third]]


def codegemma(case):
    runs = [run for _, text in case.get("context", []) for run in (text, ["<|file_separator|>"])]
    return runs + between("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")(case)


def deepseek_coder(case):
    files = "".join(f"#{path}\n{text}" for path, text in case["context"]) + f"#{case['path']}\n" if "context" in case else ""
    return [["<｜fim▁begin｜>"], files, case["prefix"], ["<｜fim▁hole｜>"], case["suffix"], ["<｜fim▁end｜>"]]


def codellama(case):
    return [["▁<PRE>"], ("start", case["prefix"]), ["▁<SUF>"], case["suffix"], ["▁<MID>"]]


def codestral(case):
    runs = [["[SUFFIX]"], case["suffix"], ["[PREFIX]"]]
    if "context" not in case:
        return [*runs, ("start", case["prefix"])]
    files = "".join(f"+++++ {path}\n{text}" for path, text in case["context"]) + f"+++++ {case['path']}\n"
    return [*runs, ("start", files), case["prefix"]]


def seed_coder(case):
    return [["<[fim-suffix]>"], case["suffix"], ["<[fim-prefix]>"], case["prefix"], ["<[fim-middle]>"]]


STARCODER = ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>", "<filename>", "<gh_stars>", "<reponame>"]
GRANITE4 = ["<|end_of_text|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"]
SEED = ["<[begin▁of▁sentence]>", "<[end▁of▁sentence]>", "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"]
PSM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")

# Family, architecture, tokenizer, its layout, and control tokens where they are not the tokenizer's.
FAMILIES = [
    ("Qwen2.5-Coder", "Qwen2ForCausalLM", "qwen2", qwen, None),
    ("StarCoder2", "Starcoder2ForCausalLM", "starcoder", starcoder2, None),
    ("StarCoder", "GPTBigCodeForCausalLM", "starcoder", starcoder, STARCODER),
    ("Granite-code", "LlamaForCausalLM", "starcoder", starcoder, STARCODER),
    ("SantaCoder", "GPTBigCodeForCausalLM", "santacoder", between("<fim-prefix>", "<fim-suffix>", "<fim-middle>"), None),
    ("CodeLlama", "LlamaForCausalLM", "codellama", codellama, None),
    ("DeepSeek-Coder", "LlamaForCausalLM", "deepseek_coder", deepseek_coder, None),
    ("Codestral", "MistralForCausalLM", "mistral_v3", codestral, None),
    ("CodeGemma", "GemmaForCausalLM", "codegemma", codegemma, None),
    ("Granite 4", "GraniteForCausalLM", "llama3", between(*PSM), GRANITE4),
    ("Mellum", "LlamaForCausalLM", "mellum", mellum, None),
    ("Seed-Coder", "LlamaForCausalLM", "llama3", seed_coder, SEED),
]


def tokenizer_of(name):
    if name == "codellama":
        return SentencePiece(name, ["▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"])
    if name == "mistral_v3":
        return SentencePiece(name, ["<s>", "</s>", "[SUFFIX]", "[PREFIX]", "[MIDDLE]"])
    if name == "codegemma":  # puts no space in front
        return SentencePiece(name, GEMMA_CONTROLS, sentinel=False)
    return ByteLevel(name)


def ids_of(run, tokenizer, controls):
    if isinstance(run, list):
        return [controls[name] for name in run]
    if isinstance(run, tuple):
        return tokenizer.start(run[1])
    return tokenizer.encode(run)


def prompt_of(case, layout, tokenizer, controls):
    if isinstance(tokenizer, SentencePiece) and MARK in case["prefix"] + case["suffix"]:
        return None
    return [i for run in layout(case) for i in ids_of(run, tokenizer, controls)]


def main():
    families = []
    for name, architecture, folder, layout, names in FAMILIES:
        tokenizer = tokenizer_of(folder)
        controls = tokenizer.controls if names is None else {each: 1_000_000 + i for i, each in enumerate(names)}
        prompts = [prompt_of(case, layout, tokenizer, controls) for case in CASES]
        families.append({"family": name, "architecture": architecture, "tokenizer": folder, "controls": controls, "prompts": prompts})
    write_json(OUT / "fim.json", {"cases": CASES, "families": families})


if __name__ == "__main__":
    main()
