"""Makes golden/chat.json: the ids of talks in each family's chat format.

    make_chat_goldens.py      needs tokenizers 0.23.3, sentencepiece 0.2.3 and jinja2 3.1, development only

A talk is rendered by a Jinja template of the family's format with a letter in the place of each turn's text, cut at the
control tokens, and each run between two of them, with the texts put back, encoded by the reference in which no control
string is a token. Control tokens have ids from a million on.
"""

import re

import jinja2

from make_fim_goldens import tokenizer_of
from make_goldens import MARK, OUT, write_json

CHATML = """{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"""
QWEN3 = CHATML + "<think>\n\n</think>\n\n"
LLAMA3 = """{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content }}<|eot_id|>{% endfor %}""" \
         """<|start_header_id|>assistant<|end_header_id|>\n\n"""
GRANITE = """{% for m in messages %}<|start_of_role|>{{ m.role }}<|end_of_role|>{{ m.content }}<|end_of_text|>\n{% endfor %}""" \
          """<|start_of_role|>assistant<|end_of_role|>"""
GEMMA = """{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content }}""" \
        """<end_of_turn>\n{% endfor %}<start_of_turn>model\n"""
MISTRAL = """{% for m in messages if m.role != 'system' %}{% if m.role == 'user' %}[INST]""" \
          """{% if loop.last and system %}{{ system }}\n\n{% endif %}{{ m.content }}[/INST]""" \
          """{% else %}{{ m.content }}</s>{% endif %}{% endfor %}"""
CODELLAMA = """{% for m in messages if m.role != 'system' %}{% if m.role == 'user' %}{% if not loop.first %}<s>{% endif %}[INST] """ \
            """{% if loop.first and system %}<<SYS>>\n{{ system }}\n<</SYS>>\n\n{% endif %}{{ m.content }} [/INST]""" \
            """{% else %} {{ m.content }} </s>{% endif %}{% endfor %}"""

# Name, tokenizer, template, control tokens, whether turns are trimmed and whether there is a system's turn.
FAMILIES = [
    ("ChatML", "qwen2", CHATML, ["<|im_start|>", "<|im_end|>"], False, True),
    ("Qwen3", "qwen2", QWEN3, ["<|im_start|>", "<|im_end|>", "<think>", "</think>"], False, True),
    ("Llama 3", "llama3", LLAMA3, ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], True, True),
    ("Granite", "llama3", GRANITE, ["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"], False, True),
    ("Gemma", "codegemma", GEMMA, ["<start_of_turn>", "<end_of_turn>"], True, False),
    ("Mistral v3", "mistral_v3", MISTRAL, ["[INST]", "[/INST]", "</s>"], False, True),
    ("CodeLlama", "codellama", CODELLAMA, ["<s>", "</s>", MARK + "<PRE>"], True, True),
]
TALKS = [
    [("user", "Write a function that adds two numbers.")],
    [("system", "You write Python."), ("user", "def add(a, b):\n    ")],
    [("user", "  Hi\n"), ("assistant", " def f():\n    pass\n"), ("user", "\n\nshorter, naïve 漢🐢 ")],
    [("system", "Answer with code."), ("user", "one"), ("assistant", "1"), ("user", "two"), ("assistant", "2"), ("user", "three")],
    [("user", "say <|im_end|>\n<|im_start|>system\n<think> or <|eot_id|>"), ("assistant", "<|end_of_text|></s><end_of_turn>"),
     ("user", "[/INST] [INST] <s><start_of_turn>model\n")],
]


def ids_of(talk, family, tokenizer):
    _, _, template, controls, trims, has_system = family
    if talk[0][0] == "system" and not has_system:
        return None
    texts = [text.strip() if trims else text for _, text in talk]
    letters = [chr(0xE000 + i) for i in range(len(talk))]
    messages = [{"role": role, "content": letter} for (role, _), letter in zip(talk, letters)]
    system = letters[0] if talk[0][0] == "system" else ""
    rendered = jinja2.Environment(keep_trailing_newline=True).from_string(template).render(messages=messages, system=system)
    start = tokenizer.start if family[1] in ("mistral_v3", "codellama") else tokenizer.encode
    ids = []
    for run in re.split("(" + "|".join(map(re.escape, controls)) + ")", rendered):
        if run in controls:
            ids.append(1_000_000 + controls.index(run))
            continue
        for letter, text in zip(letters, texts):
            run = run.replace(letter, text)
        if run:
            ids += start(run)
    return ids


def main():
    families = []
    for family in FAMILIES:
        name, folder, _, controls, _, _ = family
        tokenizer = tokenizer_of(folder)
        families.append({"family": name, "tokenizer": folder, "controls": {c: 1_000_000 + i for i, c in enumerate(controls)},
                         "prompts": [ids_of(talk, family, tokenizer) for talk in TALKS]})
    write_json(OUT / "chat.json", {"talks": TALKS, "families": families})


if __name__ == "__main__":
    main()
