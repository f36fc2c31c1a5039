import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FleetError, ModelRejected, VerificationRefused } from '../../actors/contracts/errors.ts';
import { SIGNATURE_FILE } from '../../actors/package/model-signature.ts';
import { parseJobDocument } from '../../actors/package/job-document.ts';
import { openFiles, openModel } from '../../actors/package/package.ts';
import { packTar, unpackTar } from '../../actors/package/tar.ts';
import { compareVersions, readVersion } from '../../actors/package/version.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { newerPackage } from '../kit/packages.ts';

const packages = suite('package');

const key = generateKey();
const trustedKeys = [key.publicKey];
const good = newerPackage(key).bytes;

/** The good package with one header field of its first member overwritten, the checksum made right again. */
function withHeader(at: number, text: string): Uint8Array {
  const tar = Buffer.from(gunzipSync(good));
  tar.write(text, at, 'latin1');
  tar.write('        ', 148, 'latin1');
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return gzipSync(tar);
}

const refused = (bytes: Uint8Array, reason: RegExp) =>
  assert.throws(
    () => openModel(bytes, { trustedKeys }),
    (error: unknown) => error instanceof FleetError && reason.test(error.message),
  );

packages('opens what was packed, and packs the same bytes for the same model', () => {
  const { manifest, golden } = openModel(good, { trustedKeys });
  assert.is(manifest.version, '2.0.0');
  assert.ok(golden.windows.length > 0);
  const files = unpackTar(good);
  assert.ok(Buffer.from(packTar(files)).equals(Buffer.from(packTar(new Map([...files].reverse())))));
});

packages('refuses members that lead out of the package, links, folders, devices and doubles', () => {
  refused(withHeader(0, '../../etc/passwd\0'), /leads out of the package/);
  refused(withHeader(0, '/etc/passwd\0'), /absolute/);
  refused(withHeader(0, 'a\\b\0'), /absolute/);
  refused(withHeader(0, 'folder/file\0'), /lies in a folder/);
  for (const type of ['1', '2', '3', '4', '5', '6', 'x', 'g', 'L']) refused(withHeader(156, type), /no plain file/);
  refused(withHeader(257, 'PAX  '), /not in ustar/);
  const tar = gunzipSync(good);
  const size = Number.parseInt(tar.subarray(124, 135).toString(), 8);
  const first = tar.subarray(0, 512 + Math.ceil(size / 512) * 512);
  refused(gzipSync(Buffer.concat([first, tar])), /there twice/);
});

packages('refuses archives that break off, go on, or blow up', () => {
  refused(good.subarray(0, good.length - 20), /no whole gzip/);
  refused(gzipSync(gunzipSync(good).subarray(0, 5_000)), /breaks off/);
  refused(gzipSync(Buffer.concat([gunzipSync(good), Buffer.from('more')])), /follows its end mark/);
  refused(gzipSync(Buffer.alloc(200 * 2 ** 20)), /unpacks to more than/);
  refused(new Uint8Array(), /no whole gzip/);
});

packages('names the file that is not the one that was signed, whichever it is', () => {
  const files = unpackTar(good);
  for (const name of files.keys()) {
    const changed = new Map(files);
    const bytes = Uint8Array.from(files.get(name)!);
    bytes[bytes.length >> 1] ^= 1;
    changed.set(name, bytes);
    assert.throws(
      () => openFiles(changed, { trustedKeys }),
      (error: unknown) => error instanceof VerificationRefused && (name === SIGNATURE_FILE || error.message.includes(name)),
    );
    const missing = new Map(files);
    missing.delete(name);
    assert.throws(
      () => openFiles(missing, { trustedKeys }),
      (error: unknown) => error instanceof VerificationRefused,
    );
  }
  assert.throws(
    () => openFiles(new Map([...files, ['extra', new Uint8Array(3)]]), { trustedKeys }),
    /extra is not in the signed statement/,
  );
});

packages('refuses a stranger’s signature and what has expired', () => {
  assert.throws(() => openModel(good, { trustedKeys: [generateKey().publicKey] }), /no trusted key/);
  const expiring = newerPackage(key, (manifest) => ({ ...manifest, expires: '2026-06-01T00:00:00Z' })).bytes;
  assert.is(openModel(expiring, { trustedKeys, now: Date.parse('2026-05-31') }).manifest.version, '2.0.0');
  assert.throws(() => openModel(expiring, { trustedKeys, now: Date.parse('2026-06-02') }), /expired/);
});

packages('three hundred damaged packages: each is refused by name, none gets through or crashes', () => {
  const raw = gunzipSync(good);
  fc.assert(
    fc.property(fc.nat(raw.length - 1025), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, truncate) => {
      const bad = Buffer.from(raw);
      bad[at] ^= flip;
      const bytes = gzipSync(truncate ? bad.subarray(0, at) : bad, { level: 1 });
      try {
        openModel(bytes, { trustedKeys });
      } catch (error) {
        return error instanceof ModelRejected || error instanceof VerificationRefused;
      }
      // A change that leaves every file as it was signed is no damage: padding, and header fields that nobody reads.
      return [...unpackTar(bytes)].every(([name, file]) => Buffer.from(unpackTar(good).get(name) ?? []).equals(Buffer.from(file)));
    }),
    { numRuns: 300, seed: 7 },
  );
});

packages('orders versions as SemVer does, and reads the original’s', () => {
  const sorted = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.9.0',
    '1.10.0',
    '2.0.0',
  ]; // semver.org §11
  for (let i = 1; i < sorted.length; i++) assert.ok(compareVersions(sorted[i - 1], sorted[i]) < 0, `${sorted[i - 1]} < ${sorted[i]}`);
  assert.is(readVersion('1.0'), '1.0.0');
  assert.is(readVersion('2'), '2.0.0');
  assert.is(readVersion('1.0.0.0'), null);
  assert.is(readVersion('01.0.0'), null);
});

packages('names every field that a job document lacks', () => {
  const whole = {
    type: 'new_model',
    model_name: 'm',
    model_version: '1.0',
    model_package_bucket: 'bucket',
    model_package_key: 'k',
    sha256: 'a'.repeat(64),
  };
  assert.is(parseJobDocument(whole).version, '1.0.0');
  for (const field of Object.keys(whole)) {
    const { [field as keyof typeof whole]: _, ...rest } = whole;
    assert.throws(() => parseJobDocument(rest), new RegExp(field));
  }
  assert.throws(() => parseJobDocument(null), /object/);
});

packages.run();
