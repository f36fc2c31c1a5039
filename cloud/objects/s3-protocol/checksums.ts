/**
 * The checksums that clients send along. CRC32 is zlib's; CRC32C (Castagnoli) and CRC64NVME are reflected CRCs, eight bytes a step
 * by tables. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Algorithm } from '../held.ts';

export interface Summing {
  update(chunk: Uint8Array): void;
  /** Big-endian. */
  digest(): Buffer;
}

export const BYTES_OF: Readonly<Record<Algorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

/** Makes sums; the tables are made once, when they are needed first. */
export function checksums(): (algorithm: Algorithm) => Summing {
  let castagnoli: Uint32Array | null = null;
  let nvme: Uint32Array | null = null;
  return (algorithm) => {
    switch (algorithm) {
      case 'CRC32':
        return zlibCrc();
      case 'CRC32C':
        castagnoli ??= tables32(0x82f63b78);
        return crc32c(castagnoli);
      case 'CRC64NVME':
        nvme ??= tables64(0x9a6c9329ac4bc9b5n);
        return crc64(nvme);
      case 'SHA1':
      case 'SHA256':
        return createHash(algorithm.toLowerCase());
    }
  };
}

function zlibCrc(): Summing {
  let crc = 0;
  return {
    update(chunk) {
      crc = crc32(chunk, crc);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes;
    },
  };
}

/** [8 × 256]: what a byte does that is so many bytes before the end. */
function tables32(polynomial: number): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) tables[i] = (tables[i - 256] >>> 8) ^ tables[tables[i - 256] & 0xff];
  return tables;
}

function crc32c(t: Uint32Array): Summing {
  let crc = 0xffffffff;
  return {
    update(chunk) {
      let i = 0;
      for (; i + 8 <= chunk.length; i += 8) {
        crc ^= chunk[i] | (chunk[i + 1] << 8) | (chunk[i + 2] << 16) | (chunk[i + 3] << 24);
        crc =
          t[1792 + (crc & 0xff)] ^
          t[1536 + ((crc >>> 8) & 0xff)] ^
          t[1280 + ((crc >>> 16) & 0xff)] ^
          t[1024 + (crc >>> 24)] ^
          t[768 + chunk[i + 4]] ^
          t[512 + chunk[i + 5]] ^
          t[256 + chunk[i + 6]] ^
          t[chunk[i + 7]];
      }
      for (; i < chunk.length; i++) crc = (crc >>> 8) ^ t[(crc ^ chunk[i]) & 0xff];
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(~crc >>> 0);
      return bytes;
    },
  };
}

/** [8 × 256 × (low, high)]: a double holds no 64 bits, so each entry is two halves. */
function tables64(polynomial: bigint): Uint32Array {
  const tables = new Uint32Array(8 * 256 * 2);
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    tables[2 * byte] = Number(crc & 0xffffffffn);
    tables[2 * byte + 1] = Number(crc >> 32n);
  }
  for (let i = 256; i < 8 * 256; i++) {
    const [low, high] = [tables[2 * (i - 256)], tables[2 * (i - 256) + 1]];
    const byte = low & 0xff;
    tables[2 * i] = ((low >>> 8) | (high << 24)) ^ tables[2 * byte];
    tables[2 * i + 1] = (high >>> 8) ^ tables[2 * byte + 1];
  }
  return tables;
}

function crc64(t: Uint32Array): Summing {
  let low = 0xffffffff;
  let high = 0xffffffff;
  const at = (table: number, byte: number) => (table * 256 + byte) * 2;
  return {
    update(chunk) {
      let i = 0;
      for (; i + 8 <= chunk.length; i += 8) {
        const a = low ^ (chunk[i] | (chunk[i + 1] << 8) | (chunk[i + 2] << 16) | (chunk[i + 3] << 24));
        const b = high ^ (chunk[i + 4] | (chunk[i + 5] << 8) | (chunk[i + 6] << 16) | (chunk[i + 7] << 24));
        const [p, q, r, s] = [at(7, a & 0xff), at(6, (a >>> 8) & 0xff), at(5, (a >>> 16) & 0xff), at(4, a >>> 24)];
        const [u, v, w, x] = [at(3, b & 0xff), at(2, (b >>> 8) & 0xff), at(1, (b >>> 16) & 0xff), at(0, b >>> 24)];
        low = t[p] ^ t[q] ^ t[r] ^ t[s] ^ t[u] ^ t[v] ^ t[w] ^ t[x];
        high = t[p + 1] ^ t[q + 1] ^ t[r + 1] ^ t[s + 1] ^ t[u + 1] ^ t[v + 1] ^ t[w + 1] ^ t[x + 1];
      }
      for (; i < chunk.length; i++) {
        const byte = at(0, (low ^ chunk[i]) & 0xff);
        low = ((low >>> 8) | (high << 24)) ^ t[byte];
        high = (high >>> 8) ^ t[byte + 1];
      }
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes;
    },
  };
}
