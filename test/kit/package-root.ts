/** The folder of package.json, wherever this file was compiled to. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function packageRoot(folder: string = import.meta.dirname): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}
