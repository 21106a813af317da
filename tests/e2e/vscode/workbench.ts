// A VS Code under test: a real workbench (code-server) in a real browser, with the packaged extension, typed into with
// the keyboard and looked into through what it draws. Everything waits for a condition with a deadline, nothing sleeps.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

import type { Browser, Page } from 'playwright-core';

const startDeadlineMs = 120_000;
const deadlineMs = 30_000;
const pollMs = 20;
const listMs = 3000;
const keyDelayMs = 30;
const statusItem = '.statusbar-item[id="weft.weft.weft.status"]';

export interface Options {
  /** Where cmake/fetch_vscode.sh put code-server, its Node and the browser's driver. */
  readonly tools: string;
  /** The packaged extension. */
  readonly vsix: string;
  /** A folder that is the workbench's alone: its state, its extensions, its home, and the workspace `code`. */
  readonly folder: string;
  /** Those of the extension. */
  readonly settings: Record<string, unknown>;
  /** Where screenshots go. */
  readonly pictures: string;
}

/** The user's settings that keep the workbench quiet. What a word of the file would offer hides ghost text. */
const quiet = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'editor.wordBasedSuggestions': 'off',
  'files.autoSave': 'off',
};

export class Workbench {
  private readonly server: ChildProcess;
  private readonly browser: Browser;
  private readonly page: Page;
  private readonly options: Options;

  private constructor(server: ChildProcess, browser: Browser, page: Page, options: Options) {
    this.server = server;
    this.browser = browser;
    this.page = page;
    this.options = options;
  }

  /** The folder that is open. */
  static workspace(folder: string): string {
    return path.join(folder, 'code');
  }

  /** Returns when the workbench is drawn. */
  static async start(options: Options): Promise<Workbench> {
    writeSettings(options.folder, 'User', quiet);
    writeSettings(options.folder, 'Machine', options.settings);
    for (const folder of [Workbench.workspace(options.folder), path.join(options.folder, 'home')]) {
      fs.mkdirSync(folder, { recursive: true });
    }
    runCodeServer(options, ['--install-extension', options.vsix]);
    const server = startCodeServer(options);
    try {
      const [url, browser] = await Promise.all([addressOf(server), startBrowser(options.tools)]);
      const page = await browser.newPage({ viewport: { width: 1200, height: 720 } });
      const bench = new Workbench(server, browser, page, options);
      await page.goto(`${url}?folder=${Workbench.workspace(options.folder)}`);
      await page.waitForSelector('.monaco-workbench .statusbar', { timeout: startDeadlineMs });
      return bench;
    } catch (error) {
      endGroup(server);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.browser.close();
    endGroup(this.server);
  }

  /** @param what what is waited for, for the message @param condition done when it gives something */
  async wait<T>(what: string, condition: () => Promise<T | undefined | false> | T | undefined | false, limitMs = deadlineMs): Promise<T> {
    const end = Date.now() + limitMs;
    for (;;) {
      const value = await condition();
      if (value !== undefined && value !== false) {
        return value;
      }
      if (Date.now() > end) {
        throw new Error(`no ${what} within ${limitMs} ms`);
      }
      await this.page.waitForTimeout(pollMs);
    }
  }

  press(...keys: string[]): Promise<void> {
    return keys.reduce((done, key) => done.then(() => this.page.keyboard.press(key)), Promise.resolve());
  }

  type(text: string): Promise<void> {
    return this.page.keyboard.type(text, { delay: keyDelayMs });
  }

  /** All text of the elements that match, in the order of the page. */
  texts(selector: string): Promise<string[]> {
    return this.page.locator(selector).evaluateAll((all) =>
      all.map((one) => (one.textContent ?? '').replaceAll('\u00a0', ' ')));
  }

  /** Chooses from a list that the keyboard opened, by what stands in it. */
  async choose(text: string): Promise<void> {
    await this.page.locator('.quick-input-widget .monaco-list-row', { hasText: text }).first().click({ timeout: deadlineMs });
  }

  /** Fills the input that is open, or about to. */
  async ask(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor({ state: 'visible', timeout: deadlineMs });
    await input.fill(text);
  }

  /** Opens a file of the workspace, by its whole path: it may be younger than what the workbench knows of. */
  async openFile(name: string): Promise<void> {
    await this.press('Control+p');
    await this.ask(path.join(Workbench.workspace(this.options.folder), name));
    await this.choose(name);
    await this.wait(`editor of ${name}`, async () => (await this.texts('.tab.active')).some((text) => text.includes(name)));
    await this.page.locator('.editor-instance .view-line').first().waitFor({ timeout: deadlineMs });
  }

  /** @param line from 1; the cursor is behind its last letter then */
  async goToLineEnd(line: number): Promise<void> {
    await this.press('Control+g');
    await this.ask(`:${line}`);
    await this.choose(`line ${line}`);
    await this.press('End');
    await this.wait(`cursor in line ${line}`, async () =>
      (await this.texts('#status\\.editor\\.selection')).some((text) => text.includes(`Ln ${line},`)));
  }

  /** Replaces the line with `text`, the cursor is behind it then. */
  async replaceLine(line: number, text: string): Promise<void> {
    await this.goToLineEnd(line);
    await this.press('Home', 'Home', 'Shift+End', 'Delete');
    await this.page.keyboard.insertText(text);
  }

  /** The lines of the editor that are on the screen. */
  screen(): Promise<string[]> {
    return this.texts('.editor-instance .view-lines .view-line');
  }

  /** The suggestion that is drawn, empty where there is none. */
  async ghostText(): Promise<string> {
    const [first, others] = await Promise.all([
      this.texts('.view-lines .ghost-text-decoration'),
      this.texts('.suggest-preview-text .view-line'),
    ]);
    return [first.join(''), ...others].join('\n');
  }

  /** Saves, and returns what the file holds then. */
  async save(name: string): Promise<string> {
    await this.press('Control+s');
    await this.wait('saved file', async () => {
      const saved = (await this.texts('.tab.active.dirty')).length === 0;
      return saved || this.press('Control+s').then(() => false);  // a widget had the keyboard
    });
    return fs.readFileSync(path.join(Workbench.workspace(this.options.folder), name), 'utf8');
  }

  /** Runs a command from the palette. */
  async command(title: string): Promise<void> {
    const entry = this.page.locator('.quick-input-widget .monaco-list-row', { hasText: title }).first();
    await this.wait(`command ${title}`, async () => {
      await this.press('Escape', 'F1');  // a list that is open does not learn of extensions that come later
      await this.ask(`>${title}`);
      return entry.waitFor({ state: 'visible', timeout: listMs }).then(() => true, () => false);
    });
    await entry.click({ timeout: deadlineMs });
  }

  /** What the status bar item of the extension says, with its icon's name. */
  async status(): Promise<string> {
    const item = this.page.locator(statusItem);
    if ((await item.count()) === 0) {
      return '';
    }
    return item.evaluate((node) =>
      [...node.querySelectorAll('.codicon')].map((icon) => icon.className).join(' ') + ' ' + (node.textContent ?? '').trim());
  }

  /** The notifications that are on the screen. */
  messages(): Promise<string[]> {
    return this.texts('.notification-list-item-message');
  }

  async clickButton(label: string): Promise<void> {
    await this.page.locator('.monaco-button', { hasText: label }).last().click({ timeout: deadlineMs });
  }

  async clickStatus(): Promise<void> {
    await this.page.locator(statusItem).click({ timeout: deadlineMs });
  }

  /** Opens the menu of code actions at the cursor, takes a picture of it, and chooses. */
  async codeAction(title: string | RegExp, picture: string, limitMs = deadlineMs): Promise<void> {
    const entry = this.page.locator('.action-widget .monaco-list-row', { hasText: title }).first();
    await this.wait(`code action ${title}`, async () => {
      await this.press('Escape', 'Control+.');  // the lists of one moment are not asked for again by themselves
      return entry.waitFor({ state: 'visible', timeout: listMs }).then(() => true, () => false);
    }, limitMs);
    await this.picture(picture);
    await entry.click({ timeout: deadlineMs });
  }

  /** How many places are marked with a hint. */
  hints(): Promise<number> {
    return this.page.locator('.view-overlays .squiggly-hint').count();
  }

  /** Changes the extension's settings as if by hand. */
  changeSettings(changes: Record<string, unknown>): void {
    writeSettings(this.options.folder, 'Machine', { ...this.options.settings, ...changes });
  }

  async picture(name: string): Promise<string> {
    fs.mkdirSync(this.options.pictures, { recursive: true });
    const file = path.join(this.options.pictures, `${name}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }
}

/** Paths of programs belong to the machine, where the browser is on another one. */
function writeSettings(folder: string, level: 'User' | 'Machine', settings: Record<string, unknown>): void {
  const file = path.join(folder, 'data', level, 'settings.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(settings));
}

function codeServer(options: Options, more: string[]): { command: string; args: string[]; env: NodeJS.ProcessEnv } {
  const home = path.join(options.folder, 'home');
  return {
    command: process.execPath,
    args: [
      path.join(options.tools, 'node_modules/code-server/out/node/entry.js'),
      '--extensions-dir', path.join(options.folder, 'extensions'),
      '--user-data-dir', path.join(options.folder, 'data'),
      ...more,
    ],
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: `${home}/config`, XDG_DATA_HOME: `${home}/data`, EXTENSIONS_GALLERY: '{"serviceUrl":""}' },
  };
}

function runCodeServer(options: Options, more: string[]): void {
  const { command, args, env } = codeServer(options, more);
  execFileSync(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: startDeadlineMs });
}

/** In a process group of its own, which ends as one. */
function startCodeServer(options: Options): ChildProcess {
  const { command, args, env } = codeServer(options, [
    '--auth', 'none', '--disable-workspace-trust', '--disable-telemetry', '--disable-update-check',
    '--bind-addr', '127.0.0.1:0', Workbench.workspace(options.folder),
  ]);
  const log = fs.openSync(path.join(options.folder, 'code-server.log'), 'a');
  return spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', log] });
}

function endGroup(server: ChildProcess): void {
  if (server.pid !== undefined && server.exitCode === null) {
    process.kill(-server.pid, 'SIGKILL');
  }
}

function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const match = /listening on (http:\S+)/.exec(said);
      if (match?.[1]) {
        resolve(match[1]);
      }
    });
    server.on('exit', (code) => reject(new Error(`code-server ended with ${code}: ${said}`)));
  });
}

/** A browser that reaches this machine and nothing else. */
async function startBrowser(tools: string): Promise<Browser> {
  const { chromium } = createRequire(path.join(tools, 'package.json'))('playwright-core') as typeof import('playwright-core');
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}
