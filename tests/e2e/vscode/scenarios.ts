// What a person does in VS Code with weft, and what must be seen. Scenarios of one run share a workbench; each brings
// its own file.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

import { Workbench } from './workbench.ts';

export interface Stage {
  readonly bench: Workbench;
  /** The folder that is open. */
  readonly code: string;
  /** The programs under test. */
  readonly weftd: string;
  readonly weft?: string;
  readonly model?: string;
  /** What the fake weftd was told, see tests/support/fake_weftd.py. */
  readonly actions: Actions;
}

export interface Actions {
  readonly function: string;
  readonly bugs: Readonly<Record<string, string>>;
}

interface Place {
  readonly line: string;
  readonly from: string;
  readonly typed: string;
}

const placeDeadlineMs = 4000;
const modelDeadlineMs = 90_000;
const listDeadlineMs = 4000;
const places = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../samples/textwrap_places.json'), 'utf8'),
) as Place[];

type Scenario = (stage: Stage) => Promise<void>;

/** A copy of the standard library's textwrap.py is open, and weft is ready. */
async function openTextwrap({ bench, code }: Stage, name: string): Promise<string[]> {
  const original = execFileSync('python3', ['-c', 'import textwrap; print(textwrap.__file__)'], { encoding: 'utf8' });
  fs.copyFileSync(original.trim(), path.join(code, name));
  await bench.openFile(name);
  await ready(bench);
  return lines(code, name);
}

async function openText({ bench, code }: Stage, name: string, text: string[]): Promise<void> {
  fs.writeFileSync(path.join(code, name), text.map((line) => `${line}\n`).join(''));
  await bench.openFile(name);
  await ready(bench);
}

/** The lines of a file of ../samples. */
function sample(name: string): string[] {
  return fs.readFileSync(path.join(import.meta.dirname, '../samples', name), 'utf8').split('\n').slice(0, -1);
}

function lines(code: string, name: string): string[] {
  return fs.readFileSync(path.join(code, name), 'utf8').split('\n');
}

function ready(bench: Workbench): Promise<string> {
  return bench.wait('weft that says it is ready', async () => {
    const status = await bench.status();
    assert.doesNotMatch(status, /codicon-(error|warning)/, 'weft in the status bar');
    return status.includes('codicon-check') && status;
  }, modelDeadlineMs);
}

/** The number of the line of `place`, from 1. */
function lineOf(text: string[], place: Place): number {
  const row = text.indexOf(place.line);
  assert.ok(row >= 0, `textwrap.py has no line "${place.line}"`);
  return row + 1;
}

/** Nothing where none comes soon. */
async function ghostSoon(bench: Workbench): Promise<string> {
  try {
    return await bench.wait('ghost text', async () => (await bench.ghostText()) || undefined, placeDeadlineMs);
  } catch {
    return '';
  }
}

/** Types in a real file, sees the suggestion, takes it with Tab. */
const accept: Scenario = async (stage) => {
  const { bench, code } = stage;
  const name = 'accept.py';
  const original = await openTextwrap(stage, name);
  for (const place of places) {
    const line = lineOf(original, place);
    await bench.replaceLine(line, place.from);
    await bench.type(place.typed);
    const ghost = await ghostSoon(bench);
    if (ghost === '') {
      await bench.replaceLine(line, place.line);
      continue;
    }
    await bench.picture('ghost_text');
    const before = lines(code, name);
    const typed = (await bench.save(name)).split('\n')[line - 1] ?? '';
    assert.ok(typed.startsWith(place.from + place.typed), `line ${line} is "${typed}"`);
    await bench.press('Tab');
    await bench.wait('suggestion that was taken', async () => (await bench.ghostText()) === '');
    await bench.picture('accepted');
    const behind = typed.slice((place.from + place.typed).length);  // a bracket that VS Code closed
    const wanted = (place.from + place.typed + ghost + behind).split('\n');
    const got = (await bench.save(name)).split('\n');
    assert.deepEqual(got, [...before.slice(0, line - 1), ...wanted, ...before.slice(line)], 'document after Tab');
    return;
  }
  assert.fail(`no ghost text at any of ${places.length} places`);
};

/** The suggestion is what `weft complete` prints at that place, as long as the workspace has no other file to remember. */
const sameAsWeftComplete: Scenario = async (stage) => {
  const { bench, code, weft, model } = stage;
  assert.ok(weft, 'no --weft');
  const name = 'same.py';
  const original = await openTextwrap(stage, name);
  let suggestions = 0;
  for (const place of places) {
    const line = lineOf(original, place);
    await bench.replaceLine(line, place.from + place.typed);
    await bench.save(name);
    const at = `${path.join(code, name)}:${line}:${[...place.from, ...place.typed].length + 1}`;
    const answer = execFileSync(weft, ['complete', at, '--json', ...(model ? ['--model', model] : [])], { encoding: 'utf8' });
    const { items } = JSON.parse(answer) as { items: { text: string }[] };
    const wanted = items[0]?.text ?? '';
    let shown = '';
    await bench.wait(`suggestion "${wanted}" at ${at}`, async () => {
      shown = await bench.ghostText();
      return shown === wanted;
    }).catch((error: unknown) => assert.fail(`${String(error)}; shown is "${shown}"`));
    suggestions += wanted === '' ? 0 : 1;
  }
  assert.ok(suggestions > 0, `no ghost text at any of ${places.length} places`);
};

/** "Generate function" under a comment, and undone again. */
const generate: Scenario = async (stage) => {
  const { bench, actions } = stage;
  const name = 'generate.py';
  const comment = '# the sum of two numbers';
  await openText(stage, name, ['import os', '', comment, '', 'print(os.name)']);
  await bench.goToLineEnd(3);
  await bench.codeAction(/^Generate function/, 'code_action');
  await bench.wait('generated function', async () => (await bench.screen()).some((line) => line.startsWith('def ')),
    modelDeadlineMs);
  await bench.picture('generated');
  const written = await bench.save(name);
  if (actions.function !== '') {
    assert.equal(written, ['import os', '', comment, actions.function, '', 'print(os.name)', ''].join('\n'));
  }
  await bench.press('Control+z');
  assert.equal(await bench.save(name), ['import os', '', comment, '', 'print(os.name)', ''].join('\n'), 'undone');
};

/** A line that is warned of after a save, and its quick fix. */
const fixBug: Scenario = async (stage) => {
  const { bench, actions } = stage;
  const name = 'bug.py';
  const [bug, fixed] = Object.entries(actions.bugs)[0] ?? assert.fail('no bug to look for');
  await openText(stage, name, ['def count(items):', `    ${bug}`, '    return total']);
  assert.equal(await bench.hints(), 0, 'warnings before the save');
  await bench.goToLineEnd(3);
  await bench.type('  # all');
  await bench.save(name);
  await bench.wait('warning', async () => (await bench.hints()) === 1);
  await bench.goToLineEnd(2);
  await bench.codeAction(`Replace with \`${fixed}\``, 'quick_fix');
  await bench.wait('warning that is gone', async () => (await bench.hints()) === 0);
  assert.equal(await bench.save(name), `def count(items):\n    ${fixed}\n    return total  # all\n`);
};

/** The same with what the model says of small functions, each with a bug; not which of them it finds. */
const fixRealBug: Scenario = async (stage) => {
  const { bench } = stage;
  const name = 'suspicious.py';
  const before = sample(name);
  await openText(stage, name, before);
  await bench.goToLineEnd(before.length);
  await bench.type('  # done');
  await bench.save(name);
  const warned = await bench.wait('warning', async () => (await bench.hints()) || undefined, modelDeadlineMs);
  for (const [row, line] of before.entries()) {
    if (!/^ +(return|total|result|for) /.test(line)) {
      continue;
    }
    await bench.goToLineEnd(row + 1);
    const fixed = await bench.codeAction(/^Replace with/, 'quick_fix', listDeadlineMs).then(() => true, () => false);
    if (fixed) {
      await bench.wait('warning that is gone', async () => (await bench.hints()) < warned);
      assert.notEqual((await bench.save(name)).split('\n')[row], line, 'fixed line');
      return;
    }
  }
  assert.fail(`${warned} warnings, none with a fix`);
};

/** Clumsy code that the model says in a better way. */
const refactor: Scenario = async (stage) => {
  const { bench } = stage;
  const name = 'clumsy.py';
  const before = sample(name);
  await openText(stage, name, before);
  for (const [row, line] of before.entries()) {
    if (!/^ +(for|if|value) /.test(line)) {
      continue;
    }
    await bench.goToLineEnd(row + 1);
    const chosen = await bench.codeAction(/^Refactor: /, 'refactor', listDeadlineMs).then(() => true, () => false);
    const changed = chosen && await bench.wait('refactored code', async () =>
      (await bench.texts('.tab.active.dirty')).length > 0, placeDeadlineMs).catch(() => false);
    if (changed) {
      await bench.picture('refactored');
      assert.notDeepEqual((await bench.save(name)).split('\n').slice(0, -1), before, 'refactored code');
      return;
    }
  }
  assert.fail('nothing was refactored');
};

/** The menu of the status bar item switches weft off and on. */
const menu: Scenario = async (stage) => {
  const { bench } = stage;
  await openText(stage, 'menu.py', ['']);
  for (const [entry, icon] of [['Switch off', 'circle-slash'], ['Switch on', 'check']] as const) {
    await bench.clickStatus();
    await bench.picture('menu');
    await bench.choose(entry);
    await bench.wait(`icon ${icon}`, async () => (await bench.status()).includes(`codicon-${icon}`));
  }
};

/** Restart and the log. */
const log: Scenario = async ({ bench, weftd }) => {
  await bench.command('weft: Restart');
  await bench.command('weft: Show Log');
  await bench.wait('two starts in the log', async () =>
    (await bench.texts('.output-view .view-line')).filter((line) => line.includes(`starting ${weftd}`)).length >= 2);
  await ready(bench);
};

/** A weftd that is not there is said with what to do; it is started as soon as the setting is right. */
const missing: Scenario = async (stage) => {
  const { bench } = stage;
  await openText(stage, 'missing.py', ['']);
  bench.changeSettings({ 'weft.server.path': '/nowhere/weftd' });
  await bench.wait('error in the status bar', async () => (await bench.status()).includes('codicon-error'));
  await bench.wait('message', async () => (await bench.messages()).some((text) =>
    text.includes('weft: weft.server.path is not a program: /nowhere/weftd')));
  await bench.picture('missing');
  bench.changeSettings({});
  await bench.wait('weft that is ready again', async () => (await bench.status()).includes('codicon-check'));
};

/** Train an adapter, with a fake `weft`: what it is asked for, that its terminal is shown, and that what came is loaded. */
const train: Scenario = async ({ bench, code, weftd, weft }) => {
  assert.ok(weft, 'no --weft');
  const bin = path.join(code, '..', 'bin');
  const out = path.join(code, '..', 'adapter');
  fs.mkdirSync(bin);
  fs.symlinkSync(weftd, path.join(bin, 'weftd'));
  fs.symlinkSync(weft, path.join(bin, 'weft'));
  bench.changeSettings({ 'weft.server.path': path.join(bin, 'weftd') });
  await bench.command('weft: Train Adapter');
  await bench.choose('bug-detection');
  await bench.ask(`${code}/`);
  await bench.clickButton('Learn From This');
  await bench.wait('question for the output', async () =>
    (await bench.texts('.quick-input-title')).some((text) => text.includes('written to')));
  await bench.ask(out);
  await bench.press('Enter');
  await bench.wait('end of the training', async () => (await bench.messages()).some((text) => text.includes('is trained')));
  await bench.picture('trained');
  await bench.clickButton('Load Now');
  await bench.wait('loaded adapter', async () => (await bench.messages()).some((text) => text.includes('is loaded')));
  assert.deepEqual(lines(out, 'calls').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown), [
    ['train', 'bug-detection', '--data', code, '--out', out],
    ['adapters', 'add', out],
  ]);
  bench.changeSettings({});
};

export const scenarios: Readonly<Record<string, Scenario>> = {
  accept,
  same_as_weft_complete: sameAsWeftComplete,
  generate,
  fix_bug: fixBug,
  fix_real_bug: fixRealBug,
  refactor,
  menu,
  log,
  missing,
  train,
};
