import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addArguments, trainArguments } from '../src/training';

const training = { task: 'bug-detection', data: '/code/my project', out: '/adapters/bugs' };

test('a training is one command of weft', () => {
  assert.deepEqual(trainArguments(training, ''), [
    'train', 'bug-detection', '--data', '/code/my project', '--out', '/adapters/bugs',
  ]);
});

test('it is for the model that weftd runs', () => {
  assert.deepEqual(trainArguments(training, '/models/mine').slice(-2), ['--model', '/models/mine']);
});

test('what it leaves is what is loaded', () => {
  assert.deepEqual(addArguments(training), ['adapters', 'add', '/adapters/bugs']);
});
