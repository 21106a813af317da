// Plays scenarios/NAME.json into a real VS Code with the packaged extension and a real weftd, as record.lua does into
// Neovim: same scenarios, same habits, same output.
//
//   NODE record.ts --tools .deps/vscode --vsix FILE --weftd WEFTD [--model DIR] --out FOLDER NAME
//
// What stands in the editor is known from what was typed, checked against the cursor's place in the status bar; at the
// end the saved file is compared with what should have come out.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';

import { Workbench } from '../../e2e/vscode/workbench.ts';

interface Step {
  readonly open?: string;
  readonly write?: string;
  readonly delete?: string;
  readonly undo?: number;
  readonly pause_ms?: number;
}

interface Scenario {
  readonly seed: number;
  readonly editors: readonly { readonly steps: readonly Step[] }[];
}

interface Prepared {
  readonly files: Readonly<Record<string, string>>;
  readonly cuts: Readonly<Record<string, { readonly above: readonly string[]; readonly lines: readonly string[] }>>;
  readonly texts: readonly string[];
}

interface Place {
  readonly line: number;
  readonly column: number;
}

const habits = { key: 105, word: 180, line: 620, read: 420, notice: 260, spread: 0.38, slips: 0.022, takes: 0.85 };
const modelDeadlineMs = 180_000;

/** Numbers in [0, 1) that a seed determines (Park and Miller 1988). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const rows = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

function neighbour(letter: string): string {
  const row = rows.find((each) => each.includes(letter));
  if (!row) {
    return letter;
  }
  const at = row.indexOf(letter);
  return row[at + 1] ?? row[at - 1] ?? letter;
}

class Typist {
  private considered = '';
  /** The document as it should be, and the cursor's line in it, from 0. */
  lines: string[] = [];
  private readonly bench: Workbench;
  private readonly random: () => number;

  constructor(bench: Workbench, random: () => number) {
    this.bench = bench;
    this.random = random;
  }

  async pause(medianMs: number): Promise<void> {
    const normal = Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
    await new Promise((resolve) => setTimeout(resolve, medianMs * Math.exp(habits.spread * normal)));
  }

  async place(): Promise<Place> {
    const text = (await this.bench.texts('#status\\.editor\\.selection')).join(' ');
    const match = /Ln (\d+), Col (\d+)/.exec(text);
    if (!match) {
      throw new Error(`no place of the cursor in "${text}"`);
    }
    return { line: Number(match[1]), column: Number(match[2]) };
  }

  /** The status bar follows the cursor after a while. */
  async placeIs(line: number, column: number): Promise<boolean> {
    for (let tries = 0; tries < 40; ++tries) {
      const now = await this.place();
      if (now.line === line && now.column === column) {
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return false;
  }

  /** Makes the cursor's line, which holds what the editor indented it with, begin with the text's own indentation. */
  private async indent(line: number, text: string): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 150));
    const wanted = text.length - text.trimStart().length;
    for (let { column } = await this.place(); column - 1 !== wanted; ({ column } = await this.place())) {
      if (text === '') {
        return 0;  // the editor takes the indentation of an empty line away
      }
      await this.bench.press(column - 1 > wanted ? 'Backspace' : 'Space');
      await this.pause(habits.key);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return (await this.placeIs(line, wanted + 1)) ? wanted : Promise.reject(new Error(`line ${line} is not indented`));
  }

  /** Takes the suggestion, or its first word, where that is what is wanted. How many letters that gave. */
  private async take(line: number, column: number, rest: string): Promise<number> {
    const ghost = await this.bench.ghostText();
    if (ghost === '' || ghost === this.considered) {
      return 0;
    }
    this.considered = ghost;
    const word = /^\s*[\w]+/.exec(ghost)?.[0] ?? '';
    const whole = ghost.length > 2 && rest.startsWith(ghost) && this.random() < habits.takes;
    if (!whole && (word.length < 3 || !rest.startsWith(word) || this.random() > 0.5)) {
      return 0;
    }
    await this.pause(habits.read);
    const taken = whole ? ghost : word;
    await this.bench.press(whole ? 'Tab' : 'Control+ArrowRight');
    if (await this.placeIs(line, column + taken.length)) {
      return taken.length;
    }
    if (await this.placeIs(line, column)) {
      return 0;  // it had gone by then
    }
    await this.bench.press('Control+z');
    if (!(await this.placeIs(line, column))) {
      throw new Error(`"${taken}" at ${line}:${column} was taken as something else`);
    }
    return 0;
  }

  private async hit(letter: string): Promise<void> {
    if (/[a-z]/.test(letter) && this.random() < habits.slips) {
      await this.bench.type(neighbour(letter));
      await this.pause(habits.notice);
      await this.bench.press('Backspace');
      await this.pause(habits.key);
    }
    await this.bench.type(letter);
  }

  /** The lines of a cut, below the line where they belong. */
  async write(above: readonly string[], lines: readonly string[]): Promise<void> {
    const at = this.lines.findIndex((_, i) => above.every((line, j) => this.lines[i + j] === line)) + above.length;
    await this.bench.goToLineEnd(at);
    await this.pause(habits.line);
    for (const [i, text] of lines.entries()) {
      await this.bench.press('Enter');
      const number = at + 1 + i;
      let done = await this.indent(number, text);
      while (done < text.length) {
        const before = text[done - 1] ?? '';
        await this.pause(done === 0 || text.slice(0, done).trim() === '' ? habits.line : /\w/.test(before) ? habits.key : habits.word);
        const taken = await this.take(number, done + 1, text.slice(done));
        if (taken === 0) {
          await this.hit(text[done] as string);
        }
        done += Math.max(1, taken);
      }
      await this.pause(habits.word);
    }
    this.lines.splice(at, 0, ...lines);
  }

  async deleteLine(line: string): Promise<void> {
    await this.bench.goToLineEnd(this.lines.indexOf(line) + 1);
    await this.pause(habits.line);
    await this.bench.press('Control+Shift+K');
    await this.pause(habits.line);
  }
}

async function play(bench: Workbench, typist: Typist, prepared: Prepared, steps: readonly Step[]): Promise<string> {
  let file = '';
  for (const step of steps) {
    if (step.open !== undefined) {
      file = step.open;
      await bench.openFile(file);
      typist.lines = (prepared.files[file] as string).split('\n');
      await bench.wait('weftd that is ready', async () => {
        const status = await bench.status();
        return status !== '' && !/loading|sync/.test(status);
      }, modelDeadlineMs);
    } else if (step.write !== undefined) {
      const cut = prepared.cuts[step.write];
      await typist.write(cut?.above ?? [], cut?.lines ?? []);
    } else if (step.delete !== undefined) {
      await typist.deleteLine(step.delete);
    } else if (step.undo !== undefined) {
      await bench.press('Control+z');
      await typist.pause(habits.line);
    } else if (step.pause_ms !== undefined) {
      await typist.pause(step.pause_ms);
    }
  }
  return file;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { tools: text, vsix: text, weftd: text, model: text, out: text },
  });
  const { tools, vsix, weftd, out } = values;
  const name = positionals[0];
  if (!tools || !vsix || !weftd || !out || !name) {
    throw new Error('record.ts --tools DIR --vsix FILE --weftd FILE [--model DIR] --out FOLDER NAME');
  }
  fs.mkdirSync(out, { recursive: true });
  const here = import.meta.dirname;
  const scenarioFile = path.join(here, 'scenarios', `${name}.json`);
  const scenario = JSON.parse(fs.readFileSync(scenarioFile, 'utf8')) as Scenario;
  const prepared = JSON.parse(execFileSync('python3', [path.join(here, 'prepare.py'), scenarioFile], { encoding: 'utf8' })) as Prepared;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-record-'));
  const recording = path.join(path.resolve(out), `${name}.1.raw`);
  const bench = await Workbench.start({
    tools, vsix, folder, pictures: path.resolve(out),
    settings: {
      'weft.server.path': path.resolve(weftd),
      'weft.server.arguments': ['--record', recording],
      'weft.model': values.model ? path.resolve(values.model) : '',
      'editor.acceptSuggestionOnEnter': 'off',
    },
  });
  const code = Workbench.workspace(folder);
  try {
    for (const [file, content] of Object.entries(prepared.files)) {
      fs.writeFileSync(path.join(code, file), `${content}\n`);
    }
    const typist = new Typist(bench, randomFrom(scenario.seed + 1000));
    const file = await play(bench, typist, prepared, scenario.editors[0]?.steps ?? []);
    const saved = await bench.save(file);
    if (saved !== `${typist.lines.join('\n')}\n`) {
      fs.writeFileSync(path.join(out, `${name}.saved`), saved);
      throw new Error(`${file} is not what was to be typed: see ${name}.saved in ${out}`);
    }
  } catch (error) {
    await bench.picture(`failed_${name}`);
    throw error;
  } finally {
    await bench.stop();
  }
  const version = execFileSync(process.execPath, [path.join(tools, 'node_modules/code-server/out/node/entry.js'), '--version'], { encoding: 'utf8' });
  fs.writeFileSync(path.join(out, `${name}.parts.json`), JSON.stringify({
    editor: `VS Code ${/Code (\S+)/.exec(version)?.[1] ?? version.trim()} (code-server)`,
    texts: prepared.texts,
    parts: [{ recording, folder: code, begin_ms: 0 }],
  }));
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  console.log(`${name}: recorded`);
}

await main();
