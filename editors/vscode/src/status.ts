// What is known of weftd, and how the status bar says it. Pure.

/** The answer to `weft/status`. */
export interface ServerStatus {
  readonly state: 'loading' | 'ready' | 'failed';
  readonly model?: { readonly name: string; readonly parameters?: number; readonly device?: string };
  readonly error?: string;
}

export type Status =
  | { readonly kind: 'off' }
  | { readonly kind: 'missing'; readonly problem: string }
  | { readonly kind: 'starting' }
  | { readonly kind: 'stopped'; readonly problem: string }
  | { readonly kind: 'running'; readonly server: ServerStatus };

export interface StatusText {
  /** With the icons of VS Code: `$(name)`. */
  readonly text: string;
  readonly tooltip: string;
  readonly severity: 'plain' | 'warning' | 'error';
}

/** Nothing where `answer` is not what weftd says. */
export function readServerStatus(answer: unknown): ServerStatus | undefined {
  const { state, model, error } = fields(answer);
  if (state !== 'loading' && state !== 'ready' && state !== 'failed') {
    return undefined;
  }
  const { name, parameters, device } = fields(model);
  return {
    state,
    ...(typeof error === 'string' ? { error } : {}),
    ...(typeof name === 'string'
      ? {
          model: {
            name,
            ...(typeof parameters === 'number' ? { parameters } : {}),
            ...(typeof device === 'string' ? { device } : {}),
          },
        }
      : {}),
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function describe(status: Status): StatusText {
  switch (status.kind) {
    case 'off':
      return { text: '$(circle-slash) weft', tooltip: 'weft is switched off', severity: 'plain' };
    case 'missing':
      return { text: '$(error) weft', tooltip: status.problem, severity: 'error' };
    case 'starting':
      return { text: '$(loading~spin) weft', tooltip: 'weftd is starting', severity: 'plain' };
    case 'stopped':
      return { text: '$(error) weft', tooltip: `weftd has stopped: ${status.problem}`, severity: 'error' };
    case 'running':
      return describeRunning(status.server);
  }
}

function describeRunning(server: ServerStatus): StatusText {
  switch (server.state) {
    case 'loading':
      return { text: '$(loading~spin) weft', tooltip: 'the model is being loaded', severity: 'plain' };
    case 'failed':
      return { text: '$(warning) weft', tooltip: `no model: ${server.error ?? 'see the log'}`, severity: 'warning' };
    case 'ready':
      return { text: '$(check) weft', tooltip: modelText(server.model), severity: 'plain' };
  }
}

function modelText(model: ServerStatus['model']): string {
  if (!model) {
    return 'the model is ready';
  }
  const facts = [
    ...(model.parameters ? [`${(model.parameters / 1e6).toFixed(0)} M parameters`] : []),
    ...(model.device ? [model.device] : []),
  ];
  return facts.length > 0 ? `${model.name} (${facts.join(', ')})` : model.name;
}
