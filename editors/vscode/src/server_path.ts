// Where weftd is. Pure: what is on the disk is asked through `Machine`. A workspace is never looked into: opening a
// folder must not be enough to run a program from it.
import * as path from 'node:path';

export interface Machine {
  /** Whether `file` is a program that may be run. */
  isProgram(file: string): boolean;
  /** `file` with every link followed. */
  realPath(file: string): string;
  /** The folders of PATH. */
  readonly searchPath: readonly string[];
  readonly home: string;
}

export interface Place {
  /** For messages: where this path comes from. */
  readonly name: string;
  readonly file: string;
}

export type Found = { readonly ok: true; readonly place: Place } | { readonly ok: false; readonly problem: string };

/**
 * The first place that has a weftd. A path that the user gave is not passed over when it is wrong.
 * @param setting `weft.server.path`, empty when it is not set
 * @param extension the folder of the extension
 */
export function findServer(setting: string, extension: string, machine: Machine): Found {
  if (setting !== '') {
    const place = { name: 'weft.server.path', file: withHome(setting, machine.home) };
    return machine.isProgram(place.file)
      ? { ok: true, place }
      : { ok: false, problem: `weft.server.path is not a program: ${place.file}` };
  }
  const places = defaultPlaces(extension, machine);
  const place = places.find(({ file }) => machine.isProgram(file));
  return place
    ? { ok: true, place }
    : { ok: false, problem: 'no weftd found: run `make build` in a checkout of weft, then set weft.server.path to its build/release/bin/weftd, or put that folder on PATH' };
}

function defaultPlaces(extension: string, machine: Machine): Place[] {
  const checkout = path.join(machine.realPath(extension), '..', '..');  // the extension is its editors/vscode
  return [
    { name: 'the extension', file: path.join(extension, 'bin', 'weftd') },
    { name: 'the checkout of the extension', file: path.join(checkout, 'build', 'release', 'bin', 'weftd') },
    ...machine.searchPath
      .filter((folder) => path.isAbsolute(folder))
      .map((folder) => ({ name: 'PATH', file: path.join(folder, 'weftd') })),
  ];
}

function withHome(file: string, home: string): string {
  return file === '~' || file.startsWith('~/') ? path.join(home, file.slice(1)) : file;
}

/** The command `weft`, which lies beside every weftd. */
export function commandBeside(server: string): string {
  return path.join(path.dirname(server), 'weft');
}
