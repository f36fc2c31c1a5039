/**
 * Where a device keeps its models: two slots, a folder each, and one pointer that names the slot that is committed.
 *
 *   slots/a/<the package's files> · slots/b/… · active.json → { committed, previous }
 *
 * A package goes into the slot that is not committed, file by file into a fresh folder, and is read back. The pointer is replaced by one
 * atomic rename, so that a power cut leaves the old model or the new one. What is read back is verified again, at every boot: every file
 * is as it was signed, none is missing, none is there besides, and it is the model that was committed.
 */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Disk } from '../contracts/disk.ts';
import { ModelRejected, reasonOf, VerificationRefused } from '../contracts/errors.ts';
import { type ModelId, modelId } from '../contracts/ids.ts';
import type { Log } from '../contracts/log.ts';
import { sha256Hex } from '../package/digest.ts';
import { type OpenedModel, openFiles, openModel } from '../package/package.ts';
import { type Files, unpackTar } from '../package/tar.ts';

export type Slot = 'a' | 'b';

const Installed = z.strictObject({
  slot: z.enum(['a', 'b']),
  model: z.string(),
  /** Of the package as it came. */
  sha256: z.string(),
  /** Of its files (`contentsDigest`); absent in a pointer of before, when a slot was the package itself. */
  contents: z.string().optional(),
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
  /** Writes a verified package's files into the slot that is not committed. @param signal between two files the writing may end @returns the slot, for `readBack` */
  unpack(files: Files, signal?: AbortSignal): Promise<Slot>;
  /** What lies in a slot, verified as at boot. @param contents digest of its files. @throws ModelRejected (`slot.differs`), VerificationRefused */
  readBack(slot: Slot, contents: string): Promise<OpenedModel>;
  /** From now on, and after any power cut, this is the model. */
  commit(installed: Installed): Promise<void>;
}

const POINTER = 'active.json';
const SLOTS = 'slots';
const folderOf = (slot: Slot) => `${SLOTS}/${slot}`;
/** A slot of before: the package itself. */
const packageFile = (slot: Slot) => `${SLOTS}/${slot}.tar.gz`;

/** Hex SHA-256 over the files, their names and their bytes, whatever archive they came in. */
export const contentsDigest = (files: Files): string =>
  sha256Hex(
    Buffer.from(
      [...files]
        .map(([name, bytes]) => `${name} ${sha256Hex(bytes)}\n`)
        .sort()
        .join(''),
    ),
  );

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

  const readBack: Slots['readBack'] = async (slot, contents) => {
    const files = new Map<string, Uint8Array>();
    for (const name of await disk.list(folderOf(slot))) {
      const bytes = await disk.read(`${folderOf(slot)}/${name}`);
      if (bytes) files.set(name, bytes);
    }
    if (files.size === 0) throw new ModelRejected(`slot ${slot}`, 'it is empty', undefined, 'slot.differs');
    if (contentsDigest(files) !== contents)
      throw new ModelRejected(`slot ${slot}`, 'it does not hold the files that were put there', undefined, 'slot.differs');
    return { ...openFiles(files, { trustedKeys }), files };
  };

  const readPackage = async (record: Installed): Promise<OpenedModel> => {
    const bytes = await disk.read(packageFile(record.slot));
    if (!bytes) throw new VerificationRefused(`slot ${record.slot} is empty`);
    if (sha256Hex(bytes) !== record.sha256)
      throw new VerificationRefused(`slot ${record.slot} does not hold the package that was committed`);
    return openModel(bytes, { trustedKeys });
  };

  const readSlot = async (record: Installed): Promise<InstalledModel> => {
    const opened = record.contents === undefined ? await readPackage(record) : await readBack(record.slot, record.contents);
    const { name, version, sequence } = opened.manifest;
    if (modelId(name, version) !== record.model || sequence !== record.sequence)
      throw new VerificationRefused(`slot ${record.slot} holds ${name}@${version}, sequence ${sequence}, not what was committed`);
    return { ...opened, record };
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

    async unpack(files, signal) {
      const slot = (await pointer())?.committed.slot === 'a' ? 'b' : 'a';
      if ((await disk.list(SLOTS)).includes(`${slot}.tar.gz`)) await disk.remove(packageFile(slot));
      if ((await disk.list(folderOf(slot))).length > 0) await disk.remove(folderOf(slot)); // a fresh folder, whatever was there
      for (const [name, bytes] of files) {
        signal?.throwIfAborted();
        await disk.write(`${folderOf(slot)}/${name}`, bytes);
      }
      return slot;
    },

    readBack,

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
  const files = unpackTar(bytes);
  openFiles(files, { trustedKeys });
  const contents = contentsDigest(files);
  const slot = await slots.unpack(files);
  const opened = await slots.readBack(slot, contents);
  const { name, version, sequence } = opened.manifest;
  const record: Installed = {
    slot,
    model: modelId(name, version) as ModelId,
    sha256: sha256Hex(bytes),
    contents,
    sequence,
    jobId: null,
    executionNumber: null,
  };
  await slots.commit(record);
  return { ...opened, record };
}
