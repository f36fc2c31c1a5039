/** Makes names durable: a folder is synced once for all who ask while it waits for its turn. */
import { open } from 'node:fs/promises';

/** Resolves after a sync that began after the call. */
export function folderSync(): (folder: string) => Promise<void> {
  const turns = new Map<string, { running: Promise<void>; next: Promise<void> | null }>();

  return function sync(folder): Promise<void> {
    const turn = turns.get(folder);
    if (turn) {
      turn.next ??= turn.running.then(
        () => sync(folder),
        () => sync(folder),
      );
      return turn.next;
    }
    const running = syncNow(folder).finally(() => turns.delete(folder));
    turns.set(folder, { running, next: null });
    return running;
  };
}

async function syncNow(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
