/** Packages that somebody has changed: after signing, or before with a trusted key in hand. */
import { gzipSync } from 'node:zlib';
import { SIGNATURE_FILE, signFiles } from '../../actors/package/model-signature.ts';
import { packTar, unpackTar } from '../../actors/package/tar.ts';
import type { SigningKey } from '../../cloud/models/keys.ts';

const BLOCK = 512;

/** One byte in the middle of it is another. */
export function flipped(bytes: Uint8Array, at = bytes.length >> 1, bits = 0xff): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] ^= bits;
  return changed;
}

/** The package with its files changed, and its signature left as it was. */
export function withFiles(packed: Uint8Array, change: (files: Map<string, Uint8Array>) => void): Uint8Array {
  const files = new Map(unpackTar(packed));
  change(files);
  return packTar(files);
}

/** The package with its files changed, and signed again: by one who may. */
export function resigned(packed: Uint8Array, key: SigningKey, change: (files: Map<string, Uint8Array>) => void): Uint8Array {
  const files = new Map(unpackTar(packed));
  files.delete(SIGNATURE_FILE);
  change(files);
  return packTar(new Map([...files, [SIGNATURE_FILE, signFiles(files, 'm@1.0.0', key.privateKey)]]));
}

/** With the first member there twice. */
export function doubled(packed: Uint8Array): Uint8Array {
  const members = [...unpackTar(packed)].map(([name, bytes]) => ({ name, bytes }));
  return rawTar([members[0], ...members]);
}

/** An archive of any names and types, whatever a package may hold. */
export function rawTar(
  members: readonly { readonly name: string; readonly bytes?: Uint8Array; readonly header?: (head: Buffer) => void }[],
): Uint8Array {
  const blocks = members.flatMap(({ name, bytes = new Uint8Array(), header }) => {
    const head = Buffer.alloc(BLOCK);
    head.write(name, 0, 'latin1');
    head.write('0000644\0', 100, 'latin1');
    head.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    head.write('0', 156, 'latin1');
    head.write('ustar\x0000', 257, 'latin1');
    header?.(head);
    head.write('        ', 148, 'latin1');
    head.write(
      `${head
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    );
    return [head, bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return gzipSync(Buffer.concat([...blocks, new Uint8Array(2 * BLOCK)]));
}
