// The settings `weft.*`, read whole. package.json declares them.
import * as vscode from 'vscode';

export interface Settings {
  readonly enable: boolean;
  readonly serverPath: string;
  readonly serverArguments: readonly string[];
  readonly model: string;
  readonly diagnostics: boolean;
}

export function readSettings(): Settings {
  const all = vscode.workspace.getConfiguration('weft');
  return {
    enable: all.get<boolean>('enable', true),
    serverPath: all.get<string>('server.path', '').trim(),
    serverArguments: all.get<string[]>('server.arguments', []),
    model: all.get<string>('model', '').trim(),
    diagnostics: all.get<boolean>('diagnostics', true),
  };
}

/** Calls `changed` after a setting of weft's was changed. All of them are given to weftd when it starts. */
export function onSettingsChanged(changed: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration('weft')) {
      changed();
    }
  });
}
