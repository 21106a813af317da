import assert from 'node:assert/strict';
import { test } from 'node:test';

import { describe, readServerStatus, type Status } from '../src/status';

test('the answer of weftd is read', () => {
  const model = { name: 'small', parameters: 17_400_000, device: 'cpu' };
  assert.deepEqual(readServerStatus({ state: 'ready', model: { ...model, dtype: 'bf16' } }), { state: 'ready', model });
  assert.deepEqual(readServerStatus({ state: 'failed', error: 'no model' }), { state: 'failed', error: 'no model' });
});

test('what is not an answer of weftd is refused', () => {
  for (const answer of [undefined, null, 'ready', 7, {}, { state: 'happy' }, { state: { state: 'ready' } }]) {
    assert.equal(readServerStatus(answer), undefined, JSON.stringify(answer));
  }
});

test('a field of the wrong type is left out', () => {
  assert.deepEqual(readServerStatus({ state: 'ready', model: { name: 7 }, error: [] }), { state: 'ready' });
});

test('the status bar says how weft is', () => {
  const said = (status: Status): string => {
    const { text, tooltip, severity } = describe(status);
    return `${text} | ${tooltip} | ${severity}`;
  };
  const model = { name: 'small', parameters: 17_400_000, device: 'cpu' };
  assert.equal(said({ kind: 'off' }), '$(circle-slash) weft | weft is switched off | plain');
  assert.equal(said({ kind: 'missing', problem: 'no weftd' }), '$(error) weft | no weftd | error');
  assert.match(said({ kind: 'starting' }), /spin/);
  assert.match(said({ kind: 'stopped', problem: 'exit 2' }), /exit 2 \| error$/);
  assert.match(said({ kind: 'running', server: { state: 'loading' } }), /spin.*loaded/);
  assert.match(said({ kind: 'running', server: { state: 'failed', error: 'no model in /x' } }), /no model in \/x \| warning/);
  assert.equal(
    said({ kind: 'running', server: { state: 'ready', model } }),
    '$(check) weft | small (17 M parameters, cpu) | plain',
  );
});
