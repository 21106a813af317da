// What can be trained, and the command lines for it. Pure.

export interface TrainableTask {
  readonly name: string;
  readonly does: string;
}

export const trainableTasks: readonly TrainableTask[] = [
  { name: 'bug-detection', does: 'warn of likely bugs when a file is saved' },
  { name: 'refactor', does: 'offer refactorings where the cursor stands' },
  { name: 'function-from-comment', does: 'write functions from a comment or a signature' },
];

export interface Training {
  readonly task: string;
  /** Folders. */
  readonly data: string;
  readonly out: string;
}

/** The arguments of `weft`. @param model empty: the one that comes with weft */
export function trainArguments(training: Training, model: string): string[] {
  return [
    'train',
    training.task,
    '--data',
    training.data,
    '--out',
    training.out,
    ...(model === '' ? [] : ['--model', model]),
  ];
}

export function addArguments(training: Training): string[] {
  return ['adapters', 'add', training.out];
}
