/** A machine as a flag names it. */
import { readFileSync } from 'node:fs';
import { FileInvalid, reasonOf } from '../../../actors/contracts/errors.ts';
import type { TwinMachine } from '../../../twins/library/machines.ts';

/** A name of the library, or the path of a machine file. */
export async function openMachine(name: string): Promise<TwinMachine> {
  if (/\.ya?ml$/i.test(name)) {
    const { parseMachine } = await import('../../../twins/library/machine-file.ts');
    return parseMachine(readText(name), name);
  }
  const { machineNamed } = await import('../../../twins/library/machines.ts');
  return machineNamed(name);
}

/** @throws FileInvalid when it cannot be read. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
