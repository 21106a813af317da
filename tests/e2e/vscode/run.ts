// Runs scenarios of scenarios.ts in one workbench, and reports. `node run.ts --help`.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';

import { type Actions, scenarios, type Stage } from './scenarios.ts';
import { Workbench } from './workbench.ts';

const usage = `run.ts --tools DIR --vsix FILE --weftd FILE --pictures DIR [...] SCENARIO...
  --tools           what cmake/fetch_vscode.sh made
  --weftd           the daemon under test; --weftd-args: arguments for it, a JSON list
  --weft            the command that the daemon is compared with
  --model           the model of both
  --actions         the JSON file that a fake weftd was given, to know what it says
  --expect-failure  pass if and only if every scenario fails with a message that contains this
scenarios: ${Object.keys(scenarios).join(' ')}`;

interface Options {
  readonly tools: string;
  readonly vsix: string;
  readonly weftd: string;
  readonly pictures: string;
  readonly weftdArguments: string[];
  readonly weft?: string;
  readonly model?: string;
  readonly actions: Actions;
  readonly expectFailure?: string;
  readonly names: string[];
}

function parse(): Options {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tools: text, vsix: text, weftd: text, 'weftd-args': text, weft: text, model: text, actions: text, pictures: text,
      'expect-failure': text, help: { type: 'boolean' },
    },
  });
  const unknown = positionals.filter((name) => !(name in scenarios));
  const { tools, vsix, weftd, pictures, weft, model, actions } = values;
  if (values.help || unknown.length > 0 || positionals.length === 0 || !tools || !vsix || !weftd || !pictures) {
    console.log(unknown.length > 0 ? `no scenario "${unknown[0]}"\n${usage}` : usage);
    process.exit(values.help ? 0 : 2);
  }
  return {
    tools, vsix, weftd, pictures, names: positionals,
    weftdArguments: JSON.parse(values['weftd-args'] ?? '[]') as string[],
    actions: actions ? (JSON.parse(fs.readFileSync(actions, 'utf8')) as Actions) : { function: '', bugs: {} },
    ...(weft ? { weft } : {}),
    ...(model ? { model } : {}),
    ...(values['expect-failure'] ? { expectFailure: values['expect-failure'] } : {}),
  };
}

/** Whether it went as it should. */
async function run(name: string, stage: Stage, expected: string | undefined): Promise<boolean> {
  const started = Date.now();
  let problem: Error | undefined;
  try {
    await scenarios[name]?.(stage);
  } catch (error) {
    problem = error instanceof Error ? error : new Error(String(error));
  }
  const passed = expected === undefined ? problem === undefined : (problem?.message.includes(expected) ?? false);
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${Date.now() - started} ms)`);
  if (expected !== undefined) {
    console.log(problem ? `  failed${passed ? ' as it must' : ''}: ${problem.message}` : `  passed, but must fail with "${expected}"`);
  } else if (problem) {
    console.log(`  ${(problem.stack ?? problem.message).replaceAll('\n', '\n  ')}`);
  }
  if (!passed) {
    console.log(`  picture: ${await stage.bench.picture(`failed_${name}`)}`);
  }
  return passed;
}

async function main(): Promise<number> {
  const options = parse();
  for (const [what, file] of [['packaged extension', options.vsix], ['weftd', options.weftd]] as const) {
    if (!fs.existsSync(file)) {
      console.error(`no ${what} at ${file}: run \`make e2e\``);
      return 1;
    }
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-vscode-'));
  const started = Date.now();
  const bench = await Workbench.start({
    tools: options.tools,
    vsix: options.vsix,
    folder,
    pictures: options.pictures,
    settings: {
      'weft.server.path': options.weftd,
      'weft.server.arguments': options.weftdArguments,
      'weft.model': options.model ?? '',
    },
  });
  console.log(`workbench is there (${Date.now() - started} ms)`);
  const stage: Stage = { bench, code: Workbench.workspace(folder), ...options };
  let passed = 0;
  try {
    for (const name of options.names) {
      passed += (await run(name, stage, options.expectFailure)) ? 1 : 0;
    }
  } finally {
    await bench.stop();
  }
  console.log(`${passed} of ${options.names.length} scenarios passed; pictures in ${options.pictures}`);
  const all = passed === options.names.length;
  if (all) {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  } else {
    console.log(`left behind: ${folder}`);
  }
  return all ? 0 : 1;
}

process.exit(await main());
