import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected, VerificationRefused } from '../../actors/contracts/errors.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import { sealEnvelope } from '../../actors/package/dsse.ts';
import { parseManifest } from '../../actors/package/manifest.ts';
import { SIGNATURE_FILE } from '../../actors/package/model-signature.ts';
import { openFiles, openModel } from '../../actors/package/package.ts';
import { unpackTar } from '../../actors/package/tar.ts';
import { generateKey, publicPem } from '../../cloud/models/keys.ts';
import { createRng } from '../../twins/rng.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { packageRoot } from '../kit/package-root.ts';
import { newerPackage } from '../kit/packages.ts';
import { has, python } from '../kit/programs.ts';
import { doubled, flipped, rawTar, resigned, withFiles } from '../kit/tampered.ts';

const tampered = suite('package, tampered with');

const key = generateKey();
const trustedKeys = [key.publicKey];
const good = newerPackage(key).bytes;

const refusal = (bytes: Uint8Array, options = {}): string => {
  try {
    openModel(bytes, { trustedKeys, ...options });
  } catch (error) {
    assert.ok(error instanceof ModelRejected || error instanceof VerificationRefused, String(error));
    return error.message;
  }
  return 'it was not refused';
};
const edit = (files: Map<string, Uint8Array>, name: string, change: (text: string) => string) =>
  files.set(name, Buffer.from(change(Buffer.from(files.get(name)!).toString())));

tampered('verifies by its specifications alone: OpenSSL and a few lines of Python', () => {
  if (!has('openssl', 'openssl') || !has('python3', 'python3')) return;
  const folder = scratchFolder();
  const [file, pem, other] = ['m.tar.gz', 'key.pem', 'other.pem'].map((name) => join(folder, name));
  writeFileSync(file, good);
  writeFileSync(pem, publicPem(key.publicKey));
  writeFileSync(other, publicPem(generateKey().publicKey));
  const script = join(packageRoot(), 'test/actors/package-verify.py');

  const verified = spawnSync(python, [script, file, pem], { encoding: 'utf8' });
  assert.is(verified.status, 0, verified.stderr);
  assert.equal(verified.stdout.trim().split('\n'), ['compiled.onnx', 'golden.json', 'manifest.json', 'sagemaker_edge_manifest']);
  assert.is.not(spawnSync(python, [script, file, other]).status, 0);
  writeFileSync(
    file,
    withFiles(good, (files) => files.set('golden.json', flipped(files.get('golden.json')!))),
  );
  assert.is.not(spawnSync(python, [script, file, pem]).status, 0);
  removeFolder(folder);
});

tampered('any byte of the file, flipped, is found: the head and the tail of its gzip bit by bit, the rest at two hundred places', () => {
  for (const at of [...Array(10).keys(), ...Array.from({ length: 8 }, (_, i) => good.length - 1 - i)])
    for (let bit = 0; bit < 8; bit++) assert.is.not(refusal(flipped(good, at, 1 << bit)), 'it was not refused', `byte ${at}, bit ${bit}`);
  const rng = createRng(6).fork('flips');
  for (let i = 0; i < 200; i++) {
    const at = Math.floor(rng.uniform(i) * good.length);
    assert.is.not(refusal(flipped(good, at)), 'it was not refused', `byte ${at}`);
  }
  assert.match(refusal(flipped(good, 5)), /head of its gzip was changed/);
  assert.match(refusal(Buffer.concat([good, Buffer.alloc(1)])), /something follows its gzip/);
  assert.match(refusal(Buffer.concat([good, gzipSync('more')])), /something follows/);
});

tampered('any byte of the signature, flipped, is found', () => {
  const files = unpackTar(good);
  const signature = files.get(SIGNATURE_FILE)!;
  for (let at = 0; at < signature.length; at++)
    assert.throws(
      () => openFiles(new Map([...files, [SIGNATURE_FILE, flipped(signature, at, 1)]]), { trustedKeys }),
      (error: unknown) => error instanceof VerificationRefused,
      `byte ${at} of ${signature.length}`,
    );
});

tampered('says in words of its own what was done', () => {
  const words = new Map<string, string>();
  const expect = (what: string, bytes: Uint8Array, reason: RegExp, options = {}) => {
    const said = refusal(bytes, options);
    assert.match(said, reason, what);
    assert.not([...words.values()].includes(said), `${what}: the same words as another`);
    words.set(what, said);
  };

  for (const name of ['compiled.onnx', 'golden.json', 'manifest.json', 'sagemaker_edge_manifest']) {
    expect(
      `flipped ${name}`,
      withFiles(good, (files) => files.set(name, flipped(files.get(name)!))),
      new RegExp(`${name} is not the file that was signed`),
    );
    expect(
      `removed ${name}`,
      withFiles(good, (files) => files.delete(name)),
      new RegExp(`${name} is signed but missing: it was removed`),
    );
    expect(
      `renamed ${name}`,
      withFiles(good, (files) => {
        files.set('other.bin', files.get(name)!);
        files.delete(name);
      }),
      new RegExp(`other.bin is ${name} renamed`),
    );
  }
  expect(
    'added',
    withFiles(good, (files) => files.set('extra.bin', Buffer.from('x'))),
    /extra.bin is not in the signed statement: it was added/,
  );
  expect('doubled', doubled(good), /is there twice/);
  expect(
    'unsigned',
    withFiles(good, (files) => files.delete(SIGNATURE_FILE)),
    /not signed: signature.json is missing/,
  );
  expect('a foreign key', newerPackage(generateKey()).bytes, /no trusted key/);
  expect('an old sequence', good, /old sequence, 10: 10 is there already/, { after: 10 });
  expect('expired', newerPackage(key, (manifest) => ({ ...manifest, expires: '2026-01-01T00:00:00Z' })).bytes, /expired at 2026-01-01/, {
    now: Date.parse('2026-01-02'),
  });
  expect('a broken gzip', good.subarray(0, good.length >> 1), /no whole gzip/);
  expect('not a tar', gzipSync('not a tar '.repeat(200)), /checksum is no octal|wrong checksum/);
  expect('nothing in it', gzipSync(Buffer.alloc(1_024)), /holds no file/);
  expect('the payload flipped', changedEnvelope('payload'), /does not fit|holds base64/);
  expect(
    'another schema',
    resigned(good, key, (files) => edit(files, 'manifest.json', (text) => text.replace('windfleet.model/v1', 'windfleet.model/v9'))),
    /manifest.json has schema "windfleet.model\/v9", not windfleet.model\/v1/,
  );
  expect(
    'no edge manifest, though signed so',
    resigned(good, key, (files) => files.delete('sagemaker_edge_manifest')),
    /sagemaker_edge_manifest is missing/,
  );
  expect('a name of a key that did not sign', changedEnvelope('keyid'), /names key .* that signed/);
});

/** One character of a field of the envelope is another that is as good. */
function changedEnvelope(field: 'payload' | 'keyid'): Uint8Array {
  return withFiles(good, (files) =>
    edit(files, SIGNATURE_FILE, (text) => {
      const at = text.indexOf(`"${field}":"`) + field.length + 10;
      return `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
    }),
  );
}

tampered('packages of before: another root digest, another system in the head of the gzip', () => {
  const old = Uint8Array.from(good);
  old[9] = 3; // zlib's own, of Unix
  assert.is(openModel(old, { trustedKeys }).manifest.version, '2.0.0');
  for (const level of [1, 6, 9]) assert.is(openModel(gzipSync(gunzipSync(good), { level }), { trustedKeys }).manifest.version, '2.0.0');
  const signedBefore = withFiles(good, (files) => {
    const envelope = JSON.parse(Buffer.from(files.get(SIGNATURE_FILE)!).toString());
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
    const { resources } = statement.predicate;
    statement.subject[0].digest.sha256 = sha256Hex(resources.map(({ digest }: { digest: string }) => digest).join('')); // over hex
    delete statement.predicate.serialization.ignore_paths;
    files.set(SIGNATURE_FILE, sealEnvelope(envelope.payloadType, Buffer.from(JSON.stringify(statement)), key.privateKey));
  });
  assert.is(openModel(signedBefore, { trustedKeys }).manifest.version, '2.0.0');
  const repacked = rawTar([...unpackTar(good)].map(([name, bytes]) => ({ name, bytes })));
  assert.is(openModel(repacked, { trustedKeys }).manifest.version, '2.0.0', 'by another tool, with every file as it was signed');
});

tampered('hostile archives: each refused by name, and nothing of a name reaches a terminal', () => {
  const hostile: [string, Uint8Array, RegExp][] = [
    ['an escape in a name', rawTar([{ name: 'a\u001b[2Jb' }]), /not plain/],
    ['a name in Latin-1', rawTar([{ name: 'm\u00fcller.onnx' }]), /not plain/],
    ['a right-to-left override', rawTar([{ name: Buffer.from('\u202egpj.exe').toString('latin1') }]), /not plain/],
    ['a drive', rawTar([{ name: 'C:evil' }]), /absolute/],
    ['a size in base 256', rawTar([{ name: 'a', header: (head) => head.writeUInt32BE(0x80000000, 124) }]), /no octal number/],
    ['a negative size', rawTar([{ name: 'a', header: (head) => head.write('-0000000001\0', 124) }]), /no octal number/],
    ['a size beyond its end', rawTar([{ name: 'a', header: (head) => head.write('77777777777\0', 124) }]), /breaks off/],
    ['a sparse file', rawTar([{ name: 'a', header: (head) => head.write('S', 156) }]), /no plain file/],
    ['a long name by a prefix', rawTar([{ name: 'a', header: (head) => head.write('x'.repeat(150), 345) }]), /lies in a folder/],
    ['a path of 250', rawTar([{ name: 'a'.repeat(100), header: (head) => head.write('x'.repeat(150), 345) }]), /250|251 characters/],
    ['2 001 members', rawTar(Array.from({ length: 2_001 }, (_, i) => ({ name: `f${i}` }))), /more than 2000 members/],
    ['no name', rawTar([{ name: '' }]), /name of 0 characters/],
  ];
  for (const [what, bytes, reason] of hostile) {
    const said = refusal(bytes);
    assert.match(said, reason, what);
    assert.not.match(said, /[^\x20-\x7e’→✖\n]/, what);
  }
});

tampered('a gzip bomb is given up at a hundredfold, and costs no more than that', () => {
  const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 9 });
  const nested = gzipSync(bomb);
  assert.match(refusal(bomb), /unpacks to more than/);
  assert.match(refusal(nested), /unpacks to more than|octal|checksum/);
});

tampered('hostile manifests, though a trusted key signed them', () => {
  const manifest = (change: (text: string) => string) => resigned(good, key, (files) => edit(files, 'manifest.json', change));
  for (const value of ['NaN', '1e999', 'null', '-1', '0', '"7"', '[1]']) {
    const said = refusal(manifest((text) => text.replace(/"mae":[\d.]+/, `"mae":${value}`)));
    assert.match(said, value === 'NaN' ? /is no JSON/ : /thresholds\[0\].mae/, value);
  }
  assert.match(refusal(manifest((text) => text + ' '.repeat(2 ** 20))), /has \d+ bytes; 1048576 at most/);
  assert.match(refusal(manifest(() => `${'['.repeat(200_000)}${']'.repeat(200_000)}`)), /manifest.json (is|has)/);
  assert.match(refusal(manifest((text) => text.replace('"name":"windturbine', '"name":"wındturbine'))), /→ at name/);
  assert.match(refusal(manifest((text) => text.replace('{', '{"colour":"red",'))), /colour/);
  assert.match(refusal(manifest((text) => text.replace('"sequence":10', '"sequence":1e30'))), /→ at sequence/);
  assert.match(refusal(manifest((text) => text.replace('"file":"compiled.onnx"', '"file":"../compiled.onnx"'))), /network.file/);
  assert.match(refusal(manifest(() => '\xff\xfe')), /schema|no JSON/);
  assert.match(refusal(resigned(good, key, (files) => files.set('manifest.json', Uint8Array.of(0xff, 0xfe)))), /is no JSON/);
  const many = manifest((text) => JSON.stringify({ ...JSON.parse(text), thresholds: Array.from({ length: 20_000 }, () => ({})) }));
  assert.ok(refusal(many).length < 3_000, 'as many faults as a person reads');

  const polluted = parseManifest(
    Buffer.from(Buffer.from(unpackTar(good).get('manifest.json')!).toString().replace('"lineage":{', '"lineage":{"__proto__":7,')),
  );
  assert.is(Object.getPrototypeOf(polluted.lineage), Object.prototype);
  assert.is(({} as Record<string, unknown>)['polluted'], undefined);
});

tampered('a statement that names a file twice is none', () => {
  const twice = withFiles(good, (files) => {
    // Signed by a trusted key, and yet wrong: the verifier does not count on the signer.
    const envelope = JSON.parse(Buffer.from(files.get(SIGNATURE_FILE)!).toString());
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
    statement.predicate.resources.push(statement.predicate.resources[0]);
    files.set(SIGNATURE_FILE, sealEnvelope(envelope.payloadType, Buffer.from(JSON.stringify(statement)), key.privateKey));
  });
  assert.match(refusal(twice), /names a file twice/);
});

tampered.run();
