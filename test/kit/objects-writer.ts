/**
 * A process to be killed: puts objects over and over, large and small, by hand and in chunks; says each that is durable.
 * Every byte of the version n of a key is n, and its length goes with n: what is half-written can be told.
 */
import { diskObjects } from '../../cloud/objects/disk.ts';
import { lengthOf } from './objects-written.ts';

const [root, from] = process.argv.slice(2);
const objects = diskObjects(root);

async function* chunks(version: number): AsyncIterable<Uint8Array> {
  for (let left = lengthOf(version); left > 0; left -= 50_000) yield Buffer.alloc(Math.min(left, 50_000), version & 0xff);
}

for (let version = Number(from); ; version++) {
  process.stdout.write(`begins ${version}\n`);
  await Promise.all(
    Array.from({ length: 4 }, (_, i) =>
      objects.put('bucket', `deep/key ${i}`, i % 2 ? chunks(version) : Buffer.alloc(lengthOf(version), version & 0xff)),
    ),
  );
  process.stdout.write(`durable ${version}\n`);
}
