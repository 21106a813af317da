// This machine, as server_path.ts asks for it.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import type { Machine } from './server_path';

export function thisMachine(): Machine {
  return {
    isProgram(file) {
      try {
        fs.accessSync(file, fs.constants.X_OK);
        return fs.statSync(file).isFile();
      } catch {
        return false;
      }
    },
    realPath(file) {
      try {
        return fs.realpathSync(file);
      } catch {
        return file;
      }
    },
    searchPath: (process.env['PATH'] ?? '').split(path.delimiter),
    home: os.homedir(),
  };
}
