// The command weft.trainAdapter: asks what, from what and where to, runs `weft train` as a task, whose terminal shows its
// progress and takes Ctrl-C, and offers to load what came of it into the running weftd.
import { execFile } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';

import { addArguments, trainableTasks, trainArguments, type Training } from './training';

/** @param weft the command's path @param model as in the settings */
export async function trainAdapter(weft: string, model: string): Promise<void> {
  const training = await askTraining();
  if (!training) {
    return;
  }
  const exit = await runInTerminal(training, weft, trainArguments(training, model));
  if (exit !== 0) {
    void vscode.window.showWarningMessage(`weft: the training of ${training.task} did not finish; its terminal says why.`);
    return;
  }
  const load = 'Load Now';
  const answer = await vscode.window.showInformationMessage(`weft: the adapter for ${training.task} is trained.`, load);
  if (answer === load) {
    await loadAdapter(training, weft);
  }
}

async function askTraining(): Promise<Training | undefined> {
  const task = await vscode.window.showQuickPick(
    trainableTasks.map(({ name, does }) => ({ label: name, detail: does })),
    { title: 'weft: what shall the adapter learn?' },
  );
  const data = task && (await askFolder());
  const out = data && (await askOutput(task.label));
  return out ? { task: task.label, data, out } : undefined;
}

async function askFolder(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: 'weft: folder of code to learn from',
    openLabel: 'Learn From This',
    canSelectFiles: false,
    canSelectFolders: true,
  });
  return chosen?.[0]?.fsPath;
}

function askOutput(task: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'weft: folder that the adapter is written to',
    value: path.join(os.homedir(), 'weft-adapters', task),
    validateInput: (value) => (path.isAbsolute(value) ? undefined : 'a whole path, please: /…'),
  });
}

/** The exit code, or nothing when the task was ended otherwise. */
function runInTerminal(training: Training, weft: string, args: string[]): Promise<number | undefined> {
  const task = new vscode.Task(
    { type: 'weft', ...training },
    vscode.TaskScope.Global,
    `train ${training.task}`,
    'weft',
    new vscode.ProcessExecution(weft, args),
    [],
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Dedicated };
  return new Promise((resolve, reject) => {
    let exit: number | undefined;
    const mine = (event: vscode.TaskEndEvent): boolean => event.execution.task.definition['out'] === training.out;
    const listeners = vscode.Disposable.from(
      vscode.tasks.onDidEndTaskProcess((event) => {
        exit = mine(event) ? event.exitCode : exit;
      }),
      vscode.tasks.onDidEndTask((event) => {  // comes after the process has ended, and also when it could not start
        if (mine(event)) {
          listeners.dispose();
          resolve(exit);
        }
      }),
    );
    vscode.tasks.executeTask(task).then(undefined, (error: unknown) => {
      listeners.dispose();
      reject(error);
    });
  });
}

async function loadAdapter(training: Training, weft: string): Promise<void> {
  try {
    await promisify(execFile)(weft, addArguments(training));
    void vscode.window.showInformationMessage(`weft: the adapter for ${training.task} is loaded.`);
  } catch (error) {
    void vscode.window.showErrorMessage(`weft: the adapter was not loaded. ${lastWords(error)}`);
  }
}

function lastWords(error: unknown): string {
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr).trim() : '';
  return stderr || String(error);
}
