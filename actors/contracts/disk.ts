/**
 * A device's own storage: model slots, outbox, spool. Paths are relative, `/` between parts, no `..`.
 * `physical/disk.ts` is `node:fs` with fsync, `twins/disk.ts` memory with power cuts.
 */
export interface Disk {
  /** Null when there is no such file. */
  read(path: string): Promise<Uint8Array | null>;
  /** Makes folders as needed; bytes and name are on the platter when it resolves. Not atomic: write aside, then `rename`. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** `isLoose`: on its way to the platter when it resolves, which survives this process but not the machine; a later append syncs it, too. */
  append(path: string, bytes: Uint8Array, options?: { readonly isLoose?: boolean }): Promise<void>;
  /** Atomic and durable; replaces a file of that name. */
  rename(from: string, to: string): Promise<void>;
  /** A file, or a folder with all in it; nothing happens when there is none. */
  remove(path: string): Promise<void>;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
}
