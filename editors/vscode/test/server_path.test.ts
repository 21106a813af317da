import assert from 'node:assert/strict';
import { test } from 'node:test';

import { commandBeside, findServer, type Machine } from '../src/server_path';

const extension = '/home/me/.vscode/extensions/weft';

function machine(programs: string[], more: Partial<Machine> = {}): Machine {
  return {
    isProgram: (file) => programs.includes(file),
    realPath: (file) => file,
    searchPath: ['/usr/local/bin', '/usr/bin'],
    home: '/home/me',
    ...more,
  };
}

function found(setting: string, at: Machine): string {
  const result = findServer(setting, extension, at);
  assert.ok(result.ok, result.ok ? '' : result.problem);
  return result.place.file;
}

test('the setting comes first, with ~ as home', () => {
  const all = ['/home/me/weft/weftd', `${extension}/bin/weftd`, '/usr/bin/weftd'];
  assert.equal(found('~/weft/weftd', machine(all)), '/home/me/weft/weftd');
});

test('a setting that names no program is not passed over', () => {
  const result = findServer('/nowhere/weftd', extension, machine(['/usr/bin/weftd']));
  assert.deepEqual(result, { ok: false, problem: 'weft.server.path is not a program: /nowhere/weftd' });
});

test('then the bundled one, the one of the checkout, PATH', () => {
  const bundled = `${extension}/bin/weftd`;
  const built = '/src/weft/build/release/bin/weftd';
  const linked = { realPath: () => '/src/weft/editors/vscode' };
  const all = [bundled, built, '/usr/local/bin/weftd', '/usr/bin/weftd'];
  assert.equal(found('', machine(all, linked)), bundled);
  assert.equal(found('', machine(all.slice(1), linked)), built);
  assert.equal(found('', machine(all.slice(2), linked)), '/usr/local/bin/weftd');
  assert.equal(found('', machine(all.slice(3), linked)), '/usr/bin/weftd');
});

test('a folder of PATH that is relative is not looked into', () => {
  assert.equal(findServer('', extension, machine(['bin/weftd', 'weftd'], { searchPath: ['bin', '', '.'] })).ok, false);
});

test('without any, the message says what to do', () => {
  const result = findServer('', extension, machine([]));
  assert.ok(!result.ok);
  assert.match(result.problem, /make build.*weft\.server\.path.*PATH/);
});

test('weft lies beside weftd', () => {
  assert.equal(commandBeside('/opt/weft/bin/weftd'), '/opt/weft/bin/weft');
});
