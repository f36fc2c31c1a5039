/** Programs that a test needs and a machine may lack: skipped with a line that names the Debian package, or failed when all must run. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @throws Error with WINDFLEET_REQUIRE_ALL=1 when it is missing. */
export function has(program: string, debianPackage: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  if (folders.some((folder) => existsSync(join(folder, program)))) return true;
  if (process.env['WINDFLEET_REQUIRE_ALL'] === '1') throw new Error(`${program} is missing (Debian: ${debianPackage})`);
  console.log(`skipped: needs ${program} (Debian: ${debianPackage})`);
  return false;
}
