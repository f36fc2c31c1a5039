/**
 * Syncs a store's write-ahead log beside the event loop: while the disk works, the thread goes on with the next requests. Only data is
 * synced (fdatasync): the log overwrites itself once it has grown to its full length, so its inode seldom has anything to say.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';

export interface LogSync {
  /** Calls back once all that was written before this call is on the disk. Several may be under way; each answers for itself. */
  sync(done: (error: Error | null) => void): void;
  /** Blocks until then. @throws Error what the disk says */
  syncNow(): void;
  close(): void;
}

/** @param file of the log; it is opened when it is first needed, and must be there by then */
export function openLogSync(file: string): LogSync {
  let opened: number | null = null;
  let under = 0;
  let closed = false;

  const handle = () => {
    opened ??= openSync(file, 'r+');
    return opened;
  };
  const release = () => {
    if (closed && under === 0 && opened !== null) {
      closeSync(opened);
      opened = null;
    }
  };

  return {
    sync(done) {
      let fd: number;
      try {
        fd = handle();
      } catch (error) {
        setImmediate(done, error as Error);
        return;
      }
      under++;
      fdatasync(fd, (error) => {
        under--;
        release();
        done(error);
      });
    },
    syncNow: () => fdatasyncSync(handle()),
    close() {
      closed = true;
      release();
    },
  };
}
