/** Files that are not those that were signed, and signatures that are none. */
import { keyId, sealEnvelope } from '../../../actors/package/dsse.ts';
import { SIGNATURE_FILE } from '../../../actors/package/model-signature.ts';
import { unpackTar } from '../../../actors/package/tar.ts';
import { lightPackage } from '../light-package.ts';
import { flipped } from '../tampered.ts';
import type { HostileBench, Parts } from './bench.ts';

export function fileSets({ other, add, tampered, signed, FILES }: HostileBench): void {
  for (const name of FILES) {
    add(
      `${name} changed`,
      tampered((files) => files.set(name, flipped(files.get(name)!))),
      'files.changed',
    );
    add(
      `${name} emptied`,
      tampered((files) => files.set(name, new Uint8Array())),
      'files.changed',
    );
    add(
      `${name} removed`,
      tampered((files) => files.delete(name)),
      'files.removed',
    );
    add(
      `${name} renamed`,
      tampered((files) => rename(files, name, 'other.bin')),
      'files.renamed',
    );
    add(
      `${name} of another release, signed as well`,
      tampered((files) => files.set(name, differing(other, name))),
      'files.changed',
    );
    add(
      `without ${name}, signed so`,
      signed((files) => files.delete(name)),
      'files.removed',
    );
  }
  add(
    'a file added',
    tampered((files) => files.set('extra.bin', Buffer.from('x'))),
    'files.added',
  );
  add(
    'the signature of another release',
    tampered((files) => files.set(SIGNATURE_FILE, unpackTar(other).get(SIGNATURE_FILE)!)),
    'files.changed',
  );
  add(
    'network and golden samples changed places',
    tampered((files) => swap(files, 'compiled.onnx', 'golden.json')),
    'files.changed',
  );
  add('another model behind the job’s name', other, 'manifest.model');
}

export function signatures({ key, foreign, add, tampered }: HostileBench): void {
  const envelope = (
    change: (text: {
      payloadType: string;
      payload: string;
      signatures: { keyid?: string; sig: string; [more: string]: unknown }[];
      [more: string]: unknown;
    }) => unknown,
  ) =>
    tampered((files) => {
      const parsed = JSON.parse(Buffer.from(files.get(SIGNATURE_FILE)!).toString());
      files.set(SIGNATURE_FILE, Buffer.from(JSON.stringify(change(parsed) ?? parsed)));
    });
  // biome-ignore lint/suspicious/noExplicitAny: a statement that may be changed in any way
  const statement = (change: (text: any) => void, by = key, type = 'application/vnd.in-toto+json') =>
    tampered((files) => {
      const { payload } = JSON.parse(Buffer.from(files.get(SIGNATURE_FILE)!).toString());
      const parsed = JSON.parse(Buffer.from(payload, 'base64').toString());
      change(parsed);
      files.set(SIGNATURE_FILE, sealEnvelope(type, Buffer.from(JSON.stringify(parsed)), by.privateKey));
    });
  add(
    'unsigned',
    tampered((files) => files.delete(SIGNATURE_FILE)),
    'signature.missing',
  );
  add('signed by a stranger', lightPackage(foreign, '2.0.0', 10).bytes, 'signature.untrusted');
  add(
    'signed by a stranger in the name of the trusted key',
    envelope((e) => {
      const [{ sig }] = JSON.parse(
        Buffer.from(unpackTar(lightPackage(foreign, '2.0.0', 10).bytes).get(SIGNATURE_FILE)!).toString(),
      ).signatures;
      e.signatures = [{ keyid: keyId(key.publicKey), sig }];
    }),
    'signature.broken',
  );
  add(
    'signed by the trusted key in the name of a stranger',
    envelope((e) => {
      e.signatures[0].keyid = keyId(foreign.publicKey);
    }),
    'signature.broken',
  );
  add(
    'another payload type',
    envelope((e) => {
      e.payloadType = 'application/vnd.windfleet.rollback-grant+json';
    }),
    'signature.malformed',
  );
  add(
    'signed for another payload type',
    statement(() => {}, key, 'text/plain'),
    'signature.malformed',
  );
  add(
    'another payload',
    envelope((e) => {
      e.payload = Buffer.from('{}').toString('base64');
    }),
    'signature.broken',
  );
  add(
    'no payload',
    envelope((e) => {
      e.payload = '';
    }),
    'signature.broken',
  );
  add(
    'a signature flipped',
    envelope((e) => {
      e.signatures[0].sig = Buffer.from(flipped(Buffer.from(e.signatures[0].sig, 'base64'))).toString('base64');
    }),
    'signature.broken',
  );
  add(
    'a signature that is too short',
    envelope((e) => {
      e.signatures[0].sig = 'AAAA';
    }),
    'signature.broken',
  );
  add(
    'a signature of zeros',
    envelope((e) => {
      e.signatures[0].sig = Buffer.alloc(64).toString('base64');
    }),
    'signature.broken',
  );
  add(
    'a signature that is no base64',
    envelope((e) => {
      e.signatures[0].sig = '*';
    }),
    'signature.malformed',
  );
  add(
    'base64 that nobody writes so',
    envelope((e) => {
      e.payload = `${e.payload.slice(0, -1)}B`;
    }),
    'signature.malformed',
    'signature.broken',
  );
  add(
    'no signatures',
    envelope((e) => {
      e.signatures = [];
    }),
    'signature.malformed',
  );
  add(
    'seventeen signatures',
    envelope((e) => {
      e.signatures = Array.from({ length: 17 }, () => e.signatures[0]);
    }),
    'signature.malformed',
  );
  add(
    'a field too many',
    envelope((e) => ({ ...e, more: 1 })),
    'signature.malformed',
  );
  add(
    'a list for an envelope',
    envelope((e) => [e]),
    'signature.malformed',
  );
  add(
    'null for an envelope',
    envelope(() => 'null'),
    'signature.malformed',
  );
  add(
    'no JSON for an envelope',
    tampered((files) => files.set(SIGNATURE_FILE, Buffer.from('signed, believe me'))),
    'signature.malformed',
  );
  add(
    'no UTF-8 for an envelope',
    tampered((files) => files.set(SIGNATURE_FILE, Uint8Array.of(0xff, 0xfe))),
    'signature.malformed',
  );
  add(
    'five megabytes of an envelope',
    tampered((files) => files.set(SIGNATURE_FILE, Buffer.alloc(5 * 2 ** 20, 0x20))),
    'signature.malformed',
    'archive.bomb',
  );
  add(
    'a prototype in the envelope',
    tampered((files) => files.set(SIGNATURE_FILE, Buffer.from('{"__proto__":{"payload":""}}'))),
    'signature.malformed',
  );
  add(
    'a statement of another type',
    statement((s) => {
      s._type = 'https://in-toto.io/Statement/v0.1';
    }),
    'signature.malformed',
  );
  add(
    'another predicate',
    statement((s) => {
      s.predicateType = 'https://slsa.dev/provenance/v1';
    }),
    'signature.malformed',
  );
  add(
    'digests by MD5',
    statement((s) => {
      s.predicate.serialization.hash_type = 'md5';
    }),
    'signature.malformed',
  );
  add(
    'a resource by another algorithm',
    statement((s) => {
      s.predicate.resources[0].algorithm = 'sha1';
    }),
    'signature.malformed',
  );
  add(
    'a statement about nothing',
    statement((s) => {
      s.predicate.resources = [];
    }),
    'signature.malformed',
  );
  add(
    'a statement that names a file twice',
    statement((s) => s.predicate.resources.push(s.predicate.resources[0])),
    'signature.malformed',
  );
  add(
    'a statement about its own signature',
    statement((s) => s.predicate.resources.push({ name: SIGNATURE_FILE, algorithm: 'sha256', digest: 'a'.repeat(64) })),
    'signature.malformed',
  );
  add(
    'a statement that leaves a file out',
    statement((s) => s.predicate.resources.pop()),
    'files.added',
  );
  add(
    'a statement about a file that is not there',
    statement((s) => s.predicate.resources.push({ name: 'ghost', algorithm: 'sha256', digest: 'a'.repeat(64) })),
    'files.removed',
  );
  add(
    'a statement with digests in capitals',
    statement((s) => {
      for (const one of s.predicate.resources) one.digest = one.digest.toUpperCase();
    }),
    'files.changed',
  );
  add(
    'a statement of a stranger',
    statement(() => {}, foreign),
    'signature.untrusted',
  );
}

function rename(files: Parts, from: string, to: string): void {
  files.set(to, files.get(from)!);
  files.delete(from);
}

function swap(files: Parts, a: string, b: string): void {
  const kept = files.get(a)!;
  files.set(a, files.get(b)!);
  files.set(b, kept);
}

/** A file of another release; one that is the same in both with a space more, as if it differed. */
function differing(release: Uint8Array, name: string): Uint8Array {
  const bytes = unpackTar(release).get(name)!;
  return name === 'manifest.json' || name === 'sagemaker_edge_manifest' ? bytes : Buffer.concat([bytes, Buffer.from(' ')]);
}
