/**
 * How far the update of a device is, on its disk: the step that goes on after a restart, until when it may last, and how it was refused.
 * Deadlines are dates of the device's clock. One file, replaced by one atomic rename.
 */
import { z } from 'zod';
import type { Disk } from '../contracts/disk.ts';
import { reasonOf } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { isUpdateCode } from '../contracts/update-codes.ts';
import { STAGES } from './job.ts';

const Refused = z.strictObject({ code: z.string().refine(isUpdateCode), stage: z.enum(STAGES), reason: z.string() });
const Entry = z.strictObject({
  jobId: z.string(),
  executionNumber: z.int(),
  stage: z.enum(STAGES),
  /** Epoch milliseconds: when the step ends at the latest. */
  deadline: z.number(),
  /** Where the package has been unpacked, verified and read back, with the digest of its files; null before. */
  unpacked: z.strictObject({ slot: z.enum(['a', 'b']), contents: z.string() }).nullable(),
  refusal: Refused.nullable(),
});
export type JournalEntry = z.infer<typeof Entry>;

export interface Journal {
  /** Null when no update is under way, or what is there cannot be read. */
  read(): Promise<JournalEntry | null>;
  /** Durable when it resolves. */
  write(entry: JournalEntry): Promise<void>;
  clear(): Promise<void>;
}

const FILE = 'update.json';

export function openJournal(disk: Disk, log: Log): Journal {
  return {
    async read() {
      const bytes = await disk.read(FILE);
      if (!bytes) return null;
      try {
        return Entry.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
      } catch (error) {
        log.error({ file: FILE, reason: reasonOf(error) }, 'the journal of an update is damaged: the update begins anew');
        return null;
      }
    },
    async write(entry) {
      await disk.write(`${FILE}.tmp`, Buffer.from(JSON.stringify(entry)));
      await disk.rename(`${FILE}.tmp`, FILE);
    },
    clear: () => disk.remove(FILE),
  };
}
