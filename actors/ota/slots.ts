/**
 * Where a device keeps its models: two slots, a package each, and one pointer that names the slot that is committed.
 *
 *   slots/a.tar.gz · slots/b.tar.gz · active.json → { committed, previous }
 *
 * The pointer is replaced by one atomic rename, so that a power cut leaves the old model or the new one. What is read back
 * is verified again: digest, signature, name.
 */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Disk } from '../contracts/disk.ts';
import { reasonOf, VerificationRefused } from '../contracts/errors.ts';
import { type ModelId, modelId } from '../contracts/ids.ts';
import type { Log } from '../contracts/log.ts';
import { sha256Hex } from '../package/digest.ts';
import { type OpenedModel, openModel } from '../package/package.ts';

const Installed = z.strictObject({
  slot: z.enum(['a', 'b']),
  model: z.string(),
  sha256: z.string(),
  sequence: z.int(),
  /** The job that brought it, with its execution; null for what was installed without one. */
  jobId: z.string().nullable(),
  executionNumber: z.int().nullable(),
});
const Pointer = z.strictObject({ committed: Installed, previous: Installed.nullable() });

export type Installed = z.infer<typeof Installed>;

export interface InstalledModel extends OpenedModel {
  readonly record: Installed;
}

export interface Slots {
  /** What is committed, as its record says; null before the first model. */
  committed(): Promise<Installed | null>;
  /** The committed model, verified; the one before it when the committed slot is damaged; null when there is none. */
  read(): Promise<InstalledModel | null>;
  /** Puts a package aside into the slot that is not committed. @returns the slot, for `commit` */
  stage(bytes: Uint8Array): Promise<'a' | 'b'>;
  /** From now on, and after any power cut, this is the model. */
  commit(installed: Installed): Promise<void>;
}

const POINTER = 'active.json';
const packageFile = (slot: 'a' | 'b') => `slots/${slot}.tar.gz`;

export function openSlots(disk: Disk, trustedKeys: readonly KeyObject[], log: Log): Slots {
  const pointer = async () => {
    const bytes = await disk.read(POINTER);
    if (!bytes) return null;
    try {
      return Pointer.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch (error) {
      log.error({ file: POINTER, reason: reasonOf(error) }, 'the pointer to the committed model is damaged');
      return null;
    }
  };

  const readSlot = async (record: Installed): Promise<InstalledModel> => {
    const bytes = await disk.read(packageFile(record.slot));
    if (!bytes) throw new VerificationRefused(`slot ${record.slot} is empty`);
    if (sha256Hex(bytes) !== record.sha256)
      throw new VerificationRefused(`slot ${record.slot} does not hold the package that was committed`);
    return { ...openModel(bytes, { trustedKeys }), record };
  };

  return {
    committed: async () => (await pointer())?.committed ?? null,

    async read() {
      const known = await pointer();
      for (const record of known ? [known.committed, known.previous] : []) {
        if (!record) continue;
        try {
          return await readSlot(record);
        } catch (error) {
          log.error({ model: record.model, slot: record.slot, reason: reasonOf(error) }, 'an installed model cannot be used');
        }
      }
      return null;
    },

    async stage(bytes) {
      const slot = (await pointer())?.committed.slot === 'a' ? 'b' : 'a';
      await disk.write(`${packageFile(slot)}.tmp`, bytes);
      await disk.rename(`${packageFile(slot)}.tmp`, packageFile(slot));
      return slot;
    },

    async commit(installed) {
      const committed = (await pointer())?.committed ?? null;
      const previous = committed && committed.slot !== installed.slot ? committed : null;
      await disk.write(`${POINTER}.tmp`, Buffer.from(JSON.stringify({ committed: installed, previous } satisfies z.infer<typeof Pointer>)));
      await disk.rename(`${POINTER}.tmp`, POINTER);
    },
  };
}

/** Verifies and commits a device's first model. @throws ModelRejected, VerificationRefused */
export async function installFirst(slots: Slots, bytes: Uint8Array, trustedKeys: readonly KeyObject[]): Promise<InstalledModel> {
  const contents = openModel(bytes, { trustedKeys });
  const { name, version, sequence } = contents.manifest;
  const record: Installed = {
    slot: await slots.stage(bytes),
    model: modelId(name, version) as ModelId,
    sha256: sha256Hex(bytes),
    sequence,
    jobId: null,
    executionNumber: null,
  };
  await slots.commit(record);
  return { ...contents, record };
}
