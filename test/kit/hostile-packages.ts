/**
 * Packages that no device should install, three hundred of them: every trick on archives, signatures, manifests, golden samples and networks
 * that we know of, each with the code that it must be refused with. Most are signed by the trusted key: the signer may be fooled, too.
 *
 * Sources: CVE-2026-23745, -24842 and -26960 (node-tar: absolute and relative links, hard links), CVE-2007-4559 (tarfile), the zip-slip and
 * bomb families, ustar/pax/GNU header tricks, CVE-2022-25882, CVE-2024-27318 and CVE-2026-27489 (ONNX external data), Uptane's attacks
 * (mix-and-match, rollback, freeze, wrong device, arbitrary package).
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { UpdateCode } from '../../actors/contracts/update-codes.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import { keyId, sealEnvelope } from '../../actors/package/dsse.ts';
import { SIGNATURE_FILE, signFiles } from '../../actors/package/model-signature.ts';
import { packTar, unpackTar } from '../../actors/package/tar.ts';
import { generateKey, type SigningKey } from '../../cloud/models/keys.ts';
import { HOSTILE_NETWORKS } from './hostile-networks.ts';
import { lightPackage } from './light-package.ts';
import { flipped, rawTar } from './tampered.ts';

export interface HostilePackage {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What it may be refused with: mostly one. */
  readonly codes: readonly UpdateCode[];
}

type Member = Parameters<typeof rawTar>[0][number];
type Parts = Map<string, Uint8Array>;

/** @param key that devices trust. The packages call themselves `light@2.0.0`, sequence 10. */
export function hostilePackages(key: SigningKey): readonly HostilePackage[] {
  const good = lightPackage(key, '2.0.0', 10).bytes;
  const other = lightPackage(key, '2.1.0', 11, (manifest) => ({ ...manifest, lineage: { other: 1 } })).bytes;
  const foreign = generateKey();
  const members: readonly Member[] = [...unpackTar(good)].map(([name, bytes]) => ({ name, bytes }));
  const all: HostilePackage[] = [];
  const add = (name: string, bytes: Uint8Array, ...codes: UpdateCode[]) => all.push({ name, bytes, codes });
  const withMember = (member: Member) => rawTar([...members, member]);
  const typed =
    (type: string, target = '') =>
    (head: Buffer) => {
      head.write(type, 156, 'latin1');
      head.write(target, 157, 'latin1');
    };
  /** Files changed, the signature left as it was. */
  const tampered = (change: (files: Parts) => void) => {
    const files = new Map(unpackTar(good));
    change(files);
    return packTar(files);
  };
  /** Files changed, and signed by the trusted key. */
  const signed = (change: (files: Parts) => void, by = key) => {
    const files = new Map(unpackTar(good));
    files.delete(SIGNATURE_FILE);
    change(files);
    return packTar(new Map([...files, [SIGNATURE_FILE, signFiles(files, 'light@2.0.0', by.privateKey)]]));
  };
  const FILES = ['compiled.onnx', 'golden.json', 'manifest.json', 'sagemaker_edge_manifest'];

  links();
  kinds();
  paths();
  headers();
  compression();
  fileSets();
  signatures();
  manifests();
  goldens();
  networks();
  return all;

  function links(): void {
    const targets = ['/etc/passwd', '../../etc/passwd', '..', '/', 'compiled.onnx', 'C:\\Windows\\win.ini', '', '/proc/self/mem'];
    for (const target of targets) {
      add(`a symbolic link to ${target || 'nothing'}`, withMember({ name: 'link', header: typed('2', target) }), 'archive.link');
      add(`a hard link to ${target || 'nothing'}`, withMember({ name: 'link', header: typed('1', target) }), 'archive.link');
    }
    // A link first, and then a file through it (CVE-2026-23745 and its like).
    for (const type of ['1', '2'])
      add(
        `a link of type ${type} that a later member writes through`,
        rawTar([
          { name: 'compiled.onnx', header: typed(type, '/tmp/windfleet-owned') },
          { name: 'compiled.onnx', bytes: Buffer.from('x') },
        ]),
        'archive.link',
      );
  }

  function kinds(): void {
    const types: readonly [string, string][] = [
      ['3', 'a character device'],
      ['4', 'a block device'],
      ['5', 'a folder'],
      ['6', 'a fifo'],
      ['7', 'a contiguous file'],
      ['A', 'an access list'],
      ['D', 'a GNU folder dump'],
      ['I', 'an inode'],
      ['K', 'a GNU long link'],
      ['L', 'a GNU long name'],
      ['M', 'a GNU volume that goes on'],
      ['N', 'an old GNU name'],
      ['S', 'a sparse file'],
      ['V', 'a volume header'],
      ['X', 'a Solaris header'],
      ['g', 'a global pax header'],
      ['x', 'a pax header'],
      ['Z', 'a kind that nobody knows'],
      ['\u00ff', 'a kind of 255'],
    ];
    for (const [type, what] of types) {
      add(what, withMember({ name: 'special', header: typed(type) }), 'archive.kind');
      if ('LKxg'.includes(type))
        add(
          `${what} that gives the next member another path`,
          rawTar([
            {
              name: 'header',
              bytes: Buffer.from(type === 'L' || type === 'K' ? '../../etc/cron.d/x\0' : '30 path=../../etc/cron.d/x\n'),
              header: typed(type),
            },
            ...members,
          ]),
          'archive.kind',
        );
    }
  }

  function paths(): void {
    const wrong = [
      '../evil',
      '../../../../etc/passwd',
      '/etc/passwd',
      '//etc/passwd',
      'a/../../evil',
      './evil',
      'a/./b',
      'a//b',
      'folder/',
      '..',
      '.',
      '...//evil',
      'C:evil',
      'c:/evil',
      'C:\\evil',
      '\\\\host\\share',
      '..\\evil',
      'a\\..\\b',
      'folder/file',
      'slots/a/compiled.onnx',
      '~/evil',
      '/',
      '../',
      '..//..',
    ];
    for (const path of wrong) add(`the path ${path}`, withMember({ name: path, bytes: Buffer.from('x') }), 'archive.path');
    for (const prefix of ['..', '/', '/etc', 'a', '../../..', 'x'.repeat(150)])
      add(
        `the prefix ${prefix.slice(0, 20)}`,
        withMember({ name: 'file', bytes: Buffer.from('x'), header: (head) => head.write(prefix, 345, 'latin1') }),
        'archive.path',
      );
    add('a member without a name', withMember({ name: '', bytes: Buffer.from('x') }), 'archive.path');
    const odd: readonly [string, string][] = [
      ['an escape', 'a\u001b[2J'],
      ['a line break', 'a\nb'],
      ['a tab', 'a\tb'],
      ['a space', 'a b'],
      ['a trailing space', 'compiled.onnx '],
      ['a bell', 'a\u0007'],
      ['a delete', 'a\u007f'],
      ['Latin-1', 'm\u00fcller.onnx'],
      ['a dollar', '$HOME'],
      ['a back-quote', '`id`'],
      ['a quote', "a'b"],
      ['a semicolon', 'a;rm'],
      ['a star', '*'],
      ['a percent', '%2e%2e%2f'],
    ];
    for (const [what, name] of odd) add(`a name with ${what}`, withMember({ name, bytes: Buffer.from('x') }), 'archive.name');
    const utf8: readonly [string, string][] = [
      ['a decomposed letter', 'compile\u0301d.onnx'],
      ['a wide letter', 'compiled\uff0eonnx'],
      ['a wide slash', 'a\uff0fb'],
      ['two dots in one', 'a\u2025b'],
      ['a right-to-left override', 'a\u202exnno'],
      ['an invisible space', 'compiled\u200b.onnx'],
      ['a Cyrillic letter', 'c\u043empiled.onnx'],
    ];
    for (const [what, name] of utf8)
      add(`a name with ${what}`, withMember({ name: Buffer.from(name).toString('latin1'), bytes: Buffer.from('x') }), 'archive.name');
    add('the same member twice', rawTar([members[0], ...members]), 'archive.duplicate');
    add('a member again at the end, with other bytes', withMember({ ...members[0], bytes: Buffer.from('other') }), 'archive.duplicate');
    for (const name of ['Manifest.json', 'COMPILED.ONNX', 'Signature.JSON'])
      add(`${name} beside its lower case`, withMember({ name, bytes: Buffer.from('{}') }), 'archive.duplicate');
    add('2 001 members', rawTar(Array.from({ length: 2_001 }, (_, i) => ({ name: `f${i}` }))), 'archive.members');
    for (const name of ['CON', 'NUL', 'aux.txt', '-rf', '.bashrc', 'a\0b'])
      add(`the plain but unsigned name ${JSON.stringify(name)}`, withMember({ name, bytes: Buffer.from('x') }), 'files.added');
  }

  function headers(): void {
    const size = (text: string) => (head: Buffer) => head.write(text, 124, 'latin1');
    for (const [what, text] of [
      ['negative', '-0000000001\0'],
      ['in decimals', '00000000009\0'],
      ['in hex', '0x00000000f\0'],
      ['empty', '\0\0\0\0\0\0\0\0\0\0\0\0'],
      ['a word', 'many      \0\0'],
    ])
      add(`a size that is ${what}`, withMember({ name: 'a', header: size(text) }), 'archive.header');
    add('a size in base 256', withMember({ name: 'a', header: (head) => head.writeUInt32BE(0x80000000, 124) }), 'archive.header');
    add('a size of 8 GiB', withMember({ name: 'a', header: size('77777777777\0') }), 'archive.truncated');
    add(
      'a size that takes the end mark along',
      withMember({ name: 'a', header: size('00000001000\0') }),
      'archive.truncated',
      'files.added',
    );
    const plain = gunzipSync(good);
    const checksum = (text: string) => {
      const changed = Buffer.from(plain);
      changed.write(text, 148, 'latin1');
      return gzipSync(changed);
    };
    for (const text of ['0000000\0', '7777777\0', '        ', '-000001\0'])
      add(`the checksum ${JSON.stringify(text)}`, checksum(text), 'archive.header');
    add('no magic', gzipSync(withMagic(plain, '\0\0\0\0\0')), 'archive.header');
    add('the magic of cpio', gzipSync(withMagic(plain, '07070')), 'archive.header');
    add('no end mark', gzipSync(plain.subarray(0, plain.length - 1_024)), 'archive.truncated');
    add('cut in the middle of a header', gzipSync(plain.subarray(0, 300)), 'archive.truncated');
    add('cut in the middle of a member', gzipSync(plain.subarray(0, 1_000)), 'archive.truncated');
    add('something after its end mark', gzipSync(Buffer.concat([plain, Buffer.from('more')])), 'archive.trailing');
    add('a second archive after the first', gzipSync(Buffer.concat([plain, plain])), 'archive.trailing');
    add('an end mark first', gzipSync(Buffer.concat([Buffer.alloc(1_024), plain])), 'archive.trailing');
    add('nothing but an end mark', gzipSync(Buffer.alloc(1_024)), 'archive.empty');
    add('nothing at all, gzipped', gzipSync(Buffer.alloc(0)), 'archive.truncated');
    add('a text, gzipped', gzipSync('not a tar '.repeat(200)), 'archive.header');
  }

  function compression(): void {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 9 });
    add('a bomb of a thousandfold', bomb, 'archive.bomb');
    add('a bomb in a bomb', gzipSync(bomb), 'archive.bomb', 'archive.header');
    add(
      'a member that is a bomb',
      gzipSync(Buffer.concat([gunzipSync(good).subarray(0, -1_024), Buffer.alloc(256 * 2 ** 20)]), { level: 9 }),
      'archive.bomb',
    );
    add('a second gzip member', Buffer.concat([good, gzipSync('more')]), 'archive.trailing');
    add('a second gzip member that is empty', Buffer.concat([good, gzipSync('')]), 'archive.trailing');
    add('a byte after its gzip', Buffer.concat([good, Buffer.alloc(1)]), 'archive.trailing');
    add('a text after its gzip', Buffer.concat([good, Buffer.from('trailing')]), 'archive.trailing', 'archive.gzip');
    for (const [what, part] of [
      ['nothing', 0],
      ['a byte', 1],
      ['its head', 10],
      ['a half', good.length >> 1],
      ['all but its length', good.length - 4],
      ['all but a byte', good.length - 1],
    ] as const)
      add(`cut to ${what}`, good.subarray(0, part), part === 0 ? 'download.length' : 'archive.gzip');
    add('its checksum flipped', flipped(good, good.length - 8), 'archive.gzip');
    add('its length flipped', flipped(good, good.length - 2), 'archive.gzip');
    add('its date set', flipped(good, 5), 'archive.gzip');
    add('no gzip: a plain tar', gunzipSync(good), 'archive.gzip');
    for (const [what, magic] of [
      ['a zip', 'PK\u0003\u0004'],
      ['bzip2', 'BZh9'],
      ['xz', '\u00fd7zXZ\0'],
      ['zstd', '\u0028\u00b5\u002f\u00fd'],
      ['a script', '#!/bin/sh\n'],
      ['an ELF', '\u007fELF'],
      ['a page of a proxy', '<html>'],
    ])
      add(`no gzip: ${what}`, Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(600)]), 'archive.gzip');
    for (let i = 1; i <= 8; i++) {
      const at = Math.floor((good.length * i) / 9);
      add(
        `a flipped bit at ${i} ninths`,
        flipped(good, at, 1 << (i % 8)),
        'archive.gzip',
        'archive.trailing',
        'archive.header',
        'archive.truncated',
      );
    }
  }

  function fileSets(): void {
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

  function signatures(): void {
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

  function manifests(): void {
    const manifest = (change: (text: Record<string, unknown>) => unknown) =>
      signed((files) => {
        const parsed = JSON.parse(Buffer.from(files.get('manifest.json')!).toString());
        files.set('manifest.json', Buffer.from(JSON.stringify(change(parsed) ?? parsed)));
      });
    const text = (change: (text: string) => string) =>
      signed((files) => files.set('manifest.json', Buffer.from(change(Buffer.from(files.get('manifest.json')!).toString()))));
    const set = (path: string, value: unknown) =>
      manifest((m) => {
        const parts = path.split('.');
        // biome-ignore lint/suspicious/noExplicitAny: any path of it
        const at = parts.slice(0, -1).reduce((one: any, part) => one[part], m);
        if (value === undefined) delete at[parts.at(-1)!];
        else at[parts.at(-1)!] = value;
      });
    add('expired', set('expires', '2025-12-31T23:59:59Z'), 'manifest.expired');
    add('expired at this very instant', set('expires', '2026-01-01T00:00:00Z'), 'manifest.expired');
    add('for another fleet', set('fleet', 'somebody-elses-farm'), 'manifest.fleet');
    add('for another machine', set('machine', 'nrel-5mw'), 'manifest.machine');
    add('for another processor', set('target', process.arch === 'x64' ? 'arm64' : 'x64'), 'manifest.target');
    add('the sequence of what is installed', set('sequence', 5), 'manifest.sequence');
    add('an older sequence', set('sequence', 1), 'manifest.sequence');
    add('another name inside', set('name', 'heavy'), 'manifest.model');
    add('another version inside', set('version', '3.0.0'), 'manifest.model');
    add('an older version inside', set('version', '0.9.0'), 'manifest.model');
    add('another schema', set('schema', 'windfleet.model/v2'), 'manifest.schema');
    add('no schema', set('schema', undefined), 'manifest.malformed');
    add('a channel that nobody senses', set('signal.features.0.channels', ['flux']), 'manifest.channels');
    add('an operation that nobody has', set('signal.features.0.op', 'eval'), 'manifest.signal');
    add('an operation with too few channels', set('signal.features.0.op', 'roll'), 'manifest.signal');
    for (const field of [
      'name',
      'version',
      'sequence',
      'expires',
      'fleet',
      'machine',
      'target',
      'network',
      'signal',
      'thresholds',
      'persistence',
      'golden',
      'lineage',
    ])
      add(`no ${field}`, set(field, undefined), 'manifest.malformed');
    const wrong: readonly [string, unknown][] = [
      ['version', '2'],
      ['version', 2],
      ['version', '2.0.0+build'],
      ['version', '02.0.0'],
      ['sequence', 0],
      ['sequence', -1],
      ['sequence', 1.5],
      ['sequence', '10'],
      ['sequence', 1e30],
      ['expires', 'tomorrow'],
      ['expires', 0],
      ['fleet', ''],
      ['target', 'mips'],
      ['persistence', 0],
      ['persistence', 1e9],
      ['name', '../../x'],
      ['name', 'a'.repeat(200)],
      ['network.file', '../compiled.onnx'],
      ['network.file', '/etc/passwd'],
      ['network.input', 'all'],
      ['network.input', []],
      ['network.sha256', 'x'],
      ['signal.pipeline', 'shell'],
      ['signal.rateHz', 0],
      ['signal.window.samples', 0],
      ['signal.window.samples', 1e9],
      ['signal.window.hop', 1_000],
      ['signal.window.settle', -1],
      ['signal.features', []],
      ['signal.features.0.std', 0],
      ['signal.features.0.std', -1],
      ['signal.features.0.name', 'Ä'],
      ['signal.features.1.name', 'feature_0'],
      ['thresholds', []],
      ['thresholds.0.mae', 0],
      ['thresholds.0.mae', null],
      ['thresholds.0.feature', 'other'],
      ['golden.file', '..'],
      ['golden.tolerance', 2],
      ['golden.tolerance', 0],
      ['lineage', []],
      ['lineage.deep', {}],
    ];
    for (const [path, value] of wrong) add(`${path} is ${JSON.stringify(value).slice(0, 30)}`, set(path, value), 'manifest.malformed');
    add('a manifest with a field too many', set('colour', 'red'), 'manifest.malformed');
    add(
      'a prototype',
      text((t) => t.replace('{', '{"__proto__":{"sequence":99},')),
      'manifest.malformed',
    );
    add(
      'NaN',
      text((t) => t.replace(/"persistence":\d+/, '"persistence":NaN')),
      'manifest.malformed',
    );
    add(
      'an infinite threshold',
      text((t) => t.replace(/"mae":[\d.]+/, '"mae":1e999')),
      'manifest.malformed',
    );
    add(
      'two hundred thousand brackets',
      text(() => `${'['.repeat(200_000)}${']'.repeat(200_000)}`),
      'manifest.malformed',
      'archive.bomb',
      'manifest.schema',
    );
    add(
      'a manifest of two megabytes',
      text((t) => t + ' '.repeat(2 ** 21)),
      'manifest.malformed',
      'archive.bomb',
    );
    add(
      'a manifest that is a list',
      text((t) => `[${t}]`),
      'manifest.malformed',
    );
    add(
      'an empty manifest',
      text(() => ''),
      'manifest.malformed',
    );
    add(
      'a manifest in UTF-16',
      signed((files) => files.set('manifest.json', Buffer.from(`\ufeff${Buffer.from(files.get('manifest.json')!)}`, 'utf16le'))),
      'manifest.malformed',
    );
    add(
      'a network that its manifest does not name',
      signed((files) => files.set('compiled.onnx', flipped(files.get('compiled.onnx')!))),
      'network.digest',
    );
  }

  function goldens(): void {
    const golden = (change: (text: { windows: unknown[]; scores: unknown[] }) => unknown) =>
      signed((files) => {
        const parsed = JSON.parse(Buffer.from(files.get('golden.json')!).toString());
        files.set('golden.json', Buffer.from(JSON.stringify(change(parsed) ?? parsed)));
      });
    const raw = (text: string) => signed((files) => files.set('golden.json', Buffer.from(text)));
    const row = (g: { scores: unknown[] }, i: number) => g.scores[i] as unknown[];
    add(
      'a golden answer that is off',
      golden((g) => {
        row(g, 0)[0] = 99;
      }),
      'golden.wrong',
    );
    add(
      'a last golden answer that is off by little',
      golden((g) => {
        row(g, 2)[3] = (row(g, 2)[3] as number) * 1.01;
      }),
      'golden.wrong',
    );
    add(
      'golden windows of another order',
      golden((g) => void g.windows.reverse()),
      'golden.wrong',
    );
    add(
      'a golden answer that is NaN',
      golden((g) => {
        row(g, 0)[0] = null;
      }),
      'golden.malformed',
    );
    add(
      'a golden answer that is infinite',
      signed((files) =>
        files.set(
          'golden.json',
          Buffer.from(
            Buffer.from(files.get('golden.json')!)
              .toString()
              .replace(/"scores":\[\[[^,]+/, '"scores":[[1e999'),
          ),
        ),
      ),
      'golden.malformed',
    );
    add(
      'no golden windows',
      golden((g) => {
        g.windows = [];
      }),
      'golden.malformed',
    );
    add(
      'no golden samples at all',
      golden((g) => {
        g.windows = [];
        g.scores = [];
      }),
      'golden.malformed',
    );
    add(
      'a golden answer too few',
      golden((g) => void g.scores.pop()),
      'golden.malformed',
    );
    add(
      'a golden window that is too short',
      golden((g) => void (g.windows[0] as unknown[]).pop()),
      'golden.malformed',
    );
    add(
      'a golden answer of too few features',
      golden((g) => void row(g, 1).pop()),
      'golden.malformed',
    );
    add(
      '257 golden windows',
      golden((g) => {
        g.windows = Array.from({ length: 257 }, () => []);
      }),
      'golden.malformed',
    );
    add(
      'texts for golden samples',
      golden((g) => {
        g.windows[0] = ['1'];
      }),
      'golden.malformed',
    );
    add('golden samples that are none', raw('[]'), 'golden.malformed');
    add('golden samples cut off', raw('{"windows":[[0,'), 'golden.malformed');
  }

  /** Each signed, and named by its manifest with the digest that it has: only reading it can tell. */
  function networks(): void {
    for (const [name, network] of HOSTILE_NETWORKS) {
      if (network.length > 2 ** 23) continue; // by their length alone: no package for them
      add(
        `a network with ${name}`,
        signed((files) => {
          const parsed = JSON.parse(Buffer.from(files.get('manifest.json')!).toString());
          parsed.network.sha256 = sha256Hex(network);
          files.set('manifest.json', Buffer.from(JSON.stringify(parsed)));
          files.set('compiled.onnx', network);
        }),
        ...(name.startsWith('external data') && !name.includes('sparse')
          ? (['network.external'] as const)
          : (['network.malformed', 'network.operator', 'network.limit', 'network.shape'] as const)),
      );
    }
  }
}

function withMagic(tar: Buffer, magic: string): Buffer {
  const changed = Buffer.from(tar);
  changed.write(magic, 257, 'latin1');
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : changed[i];
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return changed;
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
