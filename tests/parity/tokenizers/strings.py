"""The strings of the tokenizer goldens: 5000 that tokenizers get wrong, the same each time."""

import random
import unicodedata

WORDS = ("self return import None value path_name HTTPServerError x1 __init__ getElementById parseJSON2XML i j αβγ "
         "naïve Größe été Straße ЖУК слово 変数 関数名 函数 데이터 नमस्ते שלום مرحبا ไทย ﬁle ½ ² Ⅻ ٣٤٥ １２３ 0xDEADBEEF 3.14159e-10 "
         "1_000_000 2024 12345678901234567890 don't they're we've I'll he'd it's I'M YOU'LL 'S 'ſ kK Å").split()
SIGNS = ("( ) [ ] { } < > = == != <= >= -> => := :: ++ -- && || ?? ... , . ; : ! @ # $ % ^ & * / // /* */ \\ | ~ ` ' \" "
         "\"\"\" ''' #!/ <!-- --> </div> <br/> €£ ¿¡ «» “” ‘’ — … • ✓ ™ ©").split()
SPACES = [" ", "  ", "    ", "        ", "\t", "\t\t", "\n", "\n\n", "\r\n", "\r", "\n    ", "\r\n\t", "\v", "\f", "\u00a0",
          "\u3000", "\u2003", "\u2028", "\u0085", "\u180e", "\u200b", "\ufeff", " \n", "   \n   ", "\x1c", "\x1f"]
MARKS = ["\u0301", "\u0308", "\u030a", "\u0327", "\u3099", "\u093f", "\u0e31", "\u05b8", "\u20dd", "\ufe0f"]
EMOJI = ["😀", "👩‍💻", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "❤️", "☃", "1️⃣", "🤷🏿‍♀️", "𝒜𝕏", "𐍈"]
CONTROLS = ["<|fim_prefix|>", "<fim_suffix>", "<|endoftext|>", "<s>", "</s>", "[INST]", "[SUFFIX]", "<unk>", "<0x41>", "▁<PRE>",
            "<|im_start|>", "<｜fim▁begin｜>", "<extra_id_0>", "<pad>", "<table>", "<unused1>", "<file_sep>"]
SNIPPETS = [
    "def add(a, b):\n    \"\"\"Sum.\"\"\"\n    return a + b  # ok\n\n\nclass A(B):\n\tpass\n",
    "#include <vector>\nint main(int argc, char** argv) {\n  std::vector<int> v{1, 2, 3};\n  return v[0] >> 2;\n}\n",
    "fn main() {\n    let x: Option<&'static str> = Some(\"hi\");\n    println!(\"{x:?}\");\n}\n",
    "const f = async ({a, b}) => `${a} ${await b?.c ?? 0}`;\nexport default f;\r\n",
    "SELECT a.id, COUNT(*) FROM t AS a WHERE a.x >= 10 GROUP BY 1;\n-- done\n",
    "public static <T extends Comparable<T>> void sort(List<T> xs) { /* … */ }\n",
    "for i in {1..10}; do echo \"$i: ${arr[$i]%.txt}\" >> \"$HOME/out.log\" 2>&1; done\n",
    "<div class=\"a b\" data-x='1'>\n  <p>Hello&nbsp;<b>world</b>!</p>\n</div>\n",
    "{\"key\": [1, 2.5, -3e8, true, null], \"ünïcode\": \"\\u00e9\\n\"}\n",
    "package main\n\nfunc (s *Server) Do(ctx context.Context) error {\n\tdefer s.mu.Unlock()\n\treturn nil\n}\n",
]


def assigned(rng):
    """A character of Unicode that is assigned, no surrogate and not for private use."""
    while True:
        planes = rng.choice([(0x20, 0x250), (0x250, 0x3000), (0x3000, 0xA000), (0xA000, 0x10000), (0x10000, 0x20000)])
        c = chr(rng.randrange(*planes))
        if unicodedata.ucd_3_2_0.category(c) not in ("Cn", "Cs", "Co"):
            return c


def mixture(rng):
    kinds = [lambda: rng.choice(WORDS), lambda: rng.choice(SIGNS), lambda: rng.choice(SPACES), lambda: rng.choice(MARKS),
             lambda: rng.choice(EMOJI), lambda: str(rng.randrange(10 ** rng.randrange(1, 9))), lambda: " ",
             lambda: rng.choice(WORDS).capitalize() + rng.choice(WORDS), lambda: assigned(rng), lambda: rng.choice("aZ_e")]
    return "".join(rng.choice(kinds)() for _ in range(rng.randrange(1, 14)))


def code(rng):
    text = rng.choice(SNIPPETS)
    begin = rng.randrange(len(text))
    piece = text[begin:begin + rng.randrange(1, 80)]
    return piece.replace("    ", rng.choice(["    ", "\t", "  ", "        "])).replace("\n", rng.choice(["\n", "\r\n", "\n\n"]))


def fixed():
    out = ["", " ", "  ", "   ", "\n", "\t", "\r\n", " \n ", "a", " a", "a ", "  a", "a\n", "\na", "▁", "▁▁", "a▁b", " ▁ ",
           "\x00", "\x00\x01\x02", "\x7f", "\ufffd", "\U0010ffff", "e\u0301", "\u00e9", "\u1100\u1161\u11a8", "\uac01",
           "\u212b \u00c5 A\u030a", "ﬀ ﬁ ﬂ ﬃ", "x" * 1000, "ab" * 500, "=" * 300, "-" * 80 + "\n", "1" * 400, "é" * 300,
           "漢字" * 200, "😀" * 100, " " * 10000, "\n" * 2000, "\t" * 500, " " * 10000 + "x", "x" + " " * 333 + "\n" + " " * 7,
           "a " * 1500, "\r\n" * 300, "a" * 20000, " \t" * 700, "'s't're've'm'll'd", "'S'T'RE'VE'M'LL'D", "word's WORD'S",
           "İ ı ſ K Å ß ẞ ŉ", "0123456789" * 30, "٣" * 20, "Ⅷ½²³¹", "µ", "_" * 64, "a_b_c" * 40, "õ÷ÁýÀÿøúþüùöû"]
    out += WORDS + SIGNS + SPACES + EMOJI + CONTROLS + SNIPPETS
    out += [before + c + after for c in CONTROLS for before, after in (("x = '", "'"), (" ", "\n"), ("\n", " "))]
    out += [w + s + w for w in WORDS[:12] for s in SPACES]
    out += ["\n" + " " * n + "return x" for n in range(1, 41)] + ["x" + " " * n + "y" for n in range(1, 41)]
    out += [c + m for c in "aeoucnAEOU" for m in MARKS]
    return out


def strings():
    rng = random.Random(20240607)
    out = fixed()
    while len(out) < 5000:
        out.append(mixture(rng) if rng.random() < 0.75 else code(rng))
    return out
