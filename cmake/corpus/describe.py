"""What is written about the corpus: the table of DATA_CARD.md, and NOTICE with every licence text once."""

import re

COPYRIGHT_LINE = re.compile(r"^\W*(portions\s+)?(copyright\b|\(c\)|©)(?=.*(\d{4}|\(c\)|©))", re.IGNORECASE)
APACHE_BEGIN, APACHE_END = "Apache License", "END OF TERMS AND CONDITIONS"
BEGIN, END = "<!-- corpus -->\n", "<!-- end of corpus -->"


def describe(rows, home):
    """`rows` are those of fetch_corpus.build."""
    lines = ["| part | language | name | version | licence | files | bytes | sha256 |",
             "|---|---|---|---|---|--:|--:|---|"]
    for row in rows:
        entry = row.entry
        lines.append(f"| {row.part} | {entry['language']} | {entry['name']} | {entry['version']} | {entry['licence']} "
                     f"| {row.files} | {row.bytes} | `{entry['sha256']}` |")
    card = home / "DATA_CARD.md"
    before, _, rest = card.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"{card}: the marks of the table are missing")
    card.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after)
    (home / "NOTICE").write_text(_notice_of([r for r in rows if r.part == "train"]))


def _without_copyright_lines(text):
    """(copyright lines, the rest): texts that differ only in whose they are then compare equal."""
    lines = [line.strip() for line in text.splitlines()]
    owners = [line for line in lines if COPYRIGHT_LINE.match(line) and "[yyyy]" not in line and "{yyyy}" not in line]
    rest = [line for line in lines if line not in owners]
    if APACHE_END in rest:  # only advice on how to apply it follows
        rest = rest[rest.index(APACHE_BEGIN) if APACHE_BEGIN in rest else 0:rest.index(APACHE_END) + 1]
    return owners, re.sub(r"\n{3,}", "\n\n", "\n".join(rest)).strip()


def _words_of(text):
    """What two copies of one licence text have in common."""
    return re.sub(r"\W+", " ", text.lower().replace("https:", "http:")).strip()


def _notice_of(rows):
    sections, texts = [], {}
    for row in rows:
        owners, numbers = [], []
        for _, text in sorted(row.licence_texts.items()):
            found, rest = _without_copyright_lines(text)
            owners += [o for o in found if o not in owners]
            number = texts.setdefault(_words_of(rest), (len(texts) + 1, rest))[0]
            if number not in numbers:
                numbers.append(number)
        where = ", ".join(f"text {n}" for n in numbers) or "no text in the distribution"
        sections.append("\n".join([f"{row.entry['name']} {row.entry['version']}: {row.entry['licence']} ({where})"]
                                  + [f"  {o}" for o in owners]))
    parts = ["The model in this folder was trained by weft on the source text of the works below. Each stays under its\n"
             "own licence; the numbered texts follow the list.", *sections]
    parts += [f"{'-' * 100}\nText {number}\n\n{text}" for number, text in texts.values()]
    return "\n\n".join(parts) + "\n"
