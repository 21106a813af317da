// The item in the status bar: what describe() says; a click opens the menu.
import * as vscode from 'vscode';

import { describe, type Status, type StatusText } from './status';

const backgrounds: Record<StatusText['severity'], vscode.ThemeColor | undefined> = {
  plain: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
};

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('weft.status', vscode.StatusBarAlignment.Right, 100);

  constructor() {
    this.item.name = 'weft';
    this.item.command = 'weft.menu';
    this.item.show();
  }

  show(status: Status): void {
    const { text, tooltip, severity } = describe(status);
    this.item.text = text;
    this.item.tooltip = `weft: ${tooltip}`;
    this.item.backgroundColor = backgrounds[severity];
  }

  dispose(): void {
    this.item.dispose();
  }
}
