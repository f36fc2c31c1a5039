/** `kill -9` while objects are put: after each, every object is whole and of a version that was durable or begun, and nothing else is left. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { diskObjects } from '../../cloud/objects/disk.ts';
import { removeFolder, scratchFolder } from './farm-process.ts';
import { lengthOf } from './objects-written.ts';

export const filesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : [];

/** @returns the last version that was said to be durable, and the files that the killed left half-written. @throws when an object is not whole, or older than what was durable */
export async function killPuts(kills: number): Promise<{ readonly durable: number; readonly leftovers: number }> {
  const root = scratchFolder();
  let from = 1;
  let durable = 0;
  let leftovers = 0;
  for (let turn = 0; turn < kills; turn++) {
    const writer = spawn(process.execPath, [join(import.meta.dirname, 'objects-writer.js'), root, String(from)]);
    let said = '';
    const ended = new Promise((done) => writer.once('close', done));
    writer.stdout.on('data', (chunk) => (said += chunk));
    // at another point of a put each time: so many files are being written, of so many bytes
    const isTime = () => {
      const sizes = filesIn(join(root, '.incoming')).map(
        (name) => statSync(join(root, '.incoming', name), { throwIfNoEntry: false })?.size ?? 0,
      );
      return said.includes(`begins ${from + 1}`) && sizes.length > turn % 4 && Math.max(...sizes) >= (turn % 3) * 200_000;
    };
    while (!isTime()) await new Promise((next) => setImmediate(next));
    writer.kill('SIGKILL');
    await ended;
    durable = Math.max(durable, ...[...said.matchAll(/durable (\d+)/g)].map(([, version]) => Number(version)));
    const begun = Math.max(...[...said.matchAll(/begins (\d+)/g)].map(([, version]) => Number(version)));
    leftovers += filesIn(join(root, '.incoming')).length;

    const objects = diskObjects(root);
    assert.equal(filesIn(join(root, '.incoming')), [], 'swept');
    for (const { key, bytes, sha256 } of await objects.list('bucket')) {
      const content = await whole(objects.get('bucket', key));
      const version = [begun, begun - 1].find((each) => (each & 0xff) === content[0]) ?? -1;
      assert.ok(version >= durable, `${key} is of version ${content[0]}, and ${durable} was durable`);
      assert.is(bytes, lengthOf(version));
      assert.ok(content.every((byte) => byte === (version & 0xff)));
      assert.is(sha256, createHash('sha256').update(content).digest('hex'));
    }
    assert.is((await objects.list('bucket')).length, 4);
    from = begun + 1;
  }
  removeFolder(root);
  return { durable, leftovers };
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const got: Uint8Array[] = [];
  for await (const chunk of chunks) got.push(chunk);
  return Buffer.concat(got);
}
