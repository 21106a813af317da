// The menu behind the status bar item.
import * as vscode from 'vscode';

import { describe, type Status } from './status';

interface Entry extends vscode.QuickPickItem {
  readonly run: () => Thenable<unknown>;
}

export async function showMenu(status: Status): Promise<void> {
  const chosen = await vscode.window.showQuickPick(entries(status), {
    title: 'weft',
    placeHolder: describe(status).tooltip,
  });
  await chosen?.run();
}

function entries(status: Status): Entry[] {
  const off = status.kind === 'off';
  const command = (label: string, name: string): Entry => ({
    label,
    run: () => vscode.commands.executeCommand(name),
  });
  return [
    ...(off ? [] : [command('$(debug-restart) Restart', 'weft.restart')]),
    command('$(output) Show log', 'weft.showLog'),
    command('$(beaker) Train an adapter…', 'weft.trainAdapter'),
    {
      label: '$(gear) Settings',
      run: () => vscode.commands.executeCommand('workbench.action.openSettings', '@ext:weft.weft'),
    },
    { label: off ? '$(play) Switch on' : '$(circle-slash) Switch off', run: () => setEnabled(off) },
  ];
}

function setEnabled(enable: boolean): Thenable<void> {
  return vscode.workspace.getConfiguration('weft').update('enable', enable, vscode.ConfigurationTarget.Global);
}
