// One weftd and its language client: found, started, watched, stopped. Ghost text, code actions, diagnostics and
// progress are the client library's own features and need nothing here. Start, stop and restart run one after the other.
import * as vscode from 'vscode';
import {
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
  State,
  TransportKind,
} from 'vscode-languageclient/node';

import { thisMachine } from './machine';
import { findServer } from './server_path';
import { readSettings, type Settings } from './settings';
import { readServerStatus, type ServerStatus, type Status } from './status';

const loadingPollMs = 500;

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private current: Status = { kind: 'off' };
  private queue: Promise<void> = Promise.resolve();
  private readonly changed = new vscode.EventEmitter<Status>();
  readonly onStatus = this.changed.event;

  constructor(
    private readonly extension: string,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  get status(): Status {
    return this.current;
  }

  /** The path of the weftd that would be started now, or nothing. */
  path(): string | undefined {
    const found = findServer(readSettings().serverPath, this.extension, thisMachine());
    return found.ok ? found.place.file : undefined;
  }

  /** Stops what runs and starts anew as the settings say. Never fails: what went wrong is the status. */
  restart(): Promise<void> {
    this.queue = this.queue.then(() => this.stopClient()).then(() => this.startClient());
    return this.queue;
  }

  stop(): Promise<void> {
    this.queue = this.queue.then(() => this.stopClient());
    return this.queue;
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
  }

  private async startClient(): Promise<void> {
    const settings = readSettings();
    if (!settings.enable) {
      return this.set({ kind: 'off' });
    }
    const found = findServer(settings.serverPath, this.extension, thisMachine());
    if (!found.ok) {
      this.log.error(found.problem);
      return this.set({ kind: 'missing', problem: found.problem });
    }
    this.log.info(`starting ${found.place.file} (from ${found.place.name})`);
    this.set({ kind: 'starting' });
    const client = new LanguageClient(
      'weft',
      'weft',
      serverOptions(found.place.file, settings),
      clientOptions(settings, this.log),
    );
    this.client = client;
    client.onDidChangeState(({ newState }) => this.clientIs(client, newState));
    try {
      await client.start();
    } catch (error) {
      this.set({ kind: 'stopped', problem: error instanceof Error ? error.message : String(error) });
    }
  }

  private async stopClient(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (!client) {
      return;
    }
    try {
      await client.dispose();
    } catch (error) {
      this.log.warn(`stopping weftd: ${String(error)}`);  // it is gone already
    }
  }

  private clientIs(client: LanguageClient, state: State): void {
    if (client !== this.client) {
      return;
    }
    if (state === State.Running) {
      void this.watch(client);
    } else if (state === State.Stopped) {
      this.set({ kind: 'stopped', problem: 'see the log' });
    } else {
      this.set({ kind: 'starting' });
    }
  }

  /** Asks for the status until the model is ready or has failed. */
  private async watch(client: LanguageClient): Promise<void> {
    const server = await askStatus(client);
    if (client !== this.client || client.state !== State.Running) {
      return;
    }
    this.set({ kind: 'running', server });
    if (server.state === 'loading') {
      setTimeout(() => void this.watch(client), loadingPollMs);
    }
  }

  private set(status: Status): void {
    this.current = status;
    this.changed.fire(status);
  }
}

async function askStatus(client: LanguageClient): Promise<ServerStatus> {
  try {
    const answer: unknown = await client.sendRequest('weft/status', {});
    return readServerStatus(answer) ?? { state: 'failed', error: 'this server is not weftd' };
  } catch (error) {
    return { state: 'failed', error: error instanceof Error ? error.message : String(error) };
  }
}

function serverOptions(file: string, settings: Settings): ServerOptions {
  const model = settings.model === '' ? [] : ['--model', settings.model];
  return { command: file, args: [...settings.serverArguments, ...model], transport: TransportKind.stdio };
}

function clientOptions(settings: Settings, log: vscode.LogOutputChannel): LanguageClientOptions {
  return {
    documentSelector: [
      { language: 'python', scheme: 'file' },
      { language: 'python', scheme: 'untitled' },
    ],
    initializationOptions: { diagnostics: { enabled: settings.diagnostics } },
    outputChannel: log,
    // weftd also completes in the popup menu, for editors that draw no ghost text. Here it would be asked twice a key.
    middleware: { provideCompletionItem: () => undefined },
  };
}
