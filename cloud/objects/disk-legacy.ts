/**
 * Buckets of before an object was one file: `<name>.head.json` beside `<name>.<digest>`. What the head says is appended to the bytes,
 * and a rename makes them the object. A crash anywhere between leaves what can be read, and the next start goes on.
 */
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { footerBytes } from './disk-file.ts';
import { pathOf } from './disk-names.ts';

const HEAD = '.head.json';

const Head = z.strictObject({ bucket: z.string(), key: z.string(), bytes: z.int(), sha256: z.string(), file: z.string() });

/** A head that cannot be read is left where it is. */
export async function adoptLegacy(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.endsWith(HEAD))) {
    const path = join(folder, name);
    let head: z.infer<typeof Head>;
    try {
      head = Head.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      continue; // or another process was faster
    }
    await adopt(folder, head);
    await rm(path, { force: true });
  }
}

async function adopt(folder: string, { key, bytes, sha256, file }: z.infer<typeof Head>): Promise<void> {
  const from = join(folder, file);
  try {
    const handle = await open(from, 'r+');
    try {
      const footer = {
        key,
        bytes,
        etag: `${sha256.slice(0, 32)}-1`, // its MD5 is not known, and clients take this form for no MD5
        sha256,
        contentType: null,
        metadata: {},
        headers: {},
        checksum: null,
      };
      await handle.truncate(bytes);
      await handle.write(footerBytes(footer), 0, null, bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(from, join(folder, pathOf(key)));
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error; // its bytes are the object already
  }
}
