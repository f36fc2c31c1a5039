/** Programs that a test needs and a machine may lack: skipped with a line that names the Debian package, or failed when all must run. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @throws Error with WINDFLEET_REQUIRE_ALL=1 when it is missing. */
export function has(program: string, debianPackage: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.some((folder) => existsSync(join(folder, program))) || lacks(program, debianPackage);
}

/** Debian's Python, whose modules are Debian packages; another may stand before it in the path. */
export const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** As above, of a module of Python 3. */
export function hasPython(module: string, debianPackage: string): boolean {
  return spawnSync(python, ['-c', `import ${module}`]).status === 0 || lacks(`${module} for python3`, debianPackage);
}

function lacks(what: string, debianPackage: string): false {
  if (process.env['WINDFLEET_REQUIRE_ALL'] === '1') throw new Error(`${what} is missing (Debian: ${debianPackage})`);
  console.log(`skipped: needs ${what} (Debian: ${debianPackage})`);
  return false;
}
