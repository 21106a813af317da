// Where VS Code enters: wires the server, the status bar item, the commands and the settings. What an editor shows of
// weft comes over LSP; this extension only starts weftd and says how it is.
import * as vscode from 'vscode';

import { showMenu } from './menu';
import { Server } from './server';
import { commandBeside } from './server_path';
import { onSettingsChanged, readSettings } from './settings';
import { StatusItem } from './status_item';
import type { Status } from './status';
import { trainAdapter } from './train_adapter';

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel('weft', { log: true });
  const item = new StatusItem();
  const own = new Server(context.extensionPath, log);
  server = own;
  const command = (name: string, run: () => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(name, run);
  context.subscriptions.push(
    log,
    item,
    own,
    own.onStatus((status) => {
      item.show(status);
      void sayOnce(status);
    }),
    onSettingsChanged(() => void own.restart()),
    command('weft.menu', () => showMenu(own.status)),
    command('weft.restart', () => own.restart()),
    command('weft.showLog', () => log.show()),
    command('weft.trainAdapter', () => train(own)),
  );
  await own.restart();
}

/** VS Code waits for this before it ends the process. */
export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}

async function train(own: Server): Promise<void> {
  const path = own.path();
  if (path) {
    return trainAdapter(commandBeside(path), readSettings().model);
  }
  await sayMissing('there is no weftd, and so no `weft` beside it to train with');
}

const said = new Set<string>();

/** A weftd that is not there is said with what to do, once for each reason. */
async function sayOnce(status: Status): Promise<void> {
  if (status.kind === 'missing' && !said.has(status.problem)) {
    said.add(status.problem);
    await sayMissing(status.problem);
  }
}

async function sayMissing(problem: string): Promise<void> {
  const open = 'Open Settings';
  if ((await vscode.window.showErrorMessage(`weft: ${problem}`, open)) === open) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'weft.server.path');
  }
}
