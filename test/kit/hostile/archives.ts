/** Tricks on the archive: links, kinds of members, paths and names, headers, compression. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { flipped, rawTar } from '../tampered.ts';
import type { HostileBench } from './bench.ts';

export function links({ add, withMember, typed }: HostileBench): void {
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

export function kinds({ members, add, withMember, typed }: HostileBench): void {
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

export function paths({ members, add, withMember }: HostileBench): void {
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

export function headers({ good, add, withMember }: HostileBench): void {
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
  add('a size that takes the end mark along', withMember({ name: 'a', header: size('00000001000\0') }), 'archive.truncated', 'files.added');
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

export function compression({ good, add }: HostileBench): void {
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

function withMagic(tar: Buffer, magic: string): Buffer {
  const changed = Buffer.from(tar);
  changed.write(magic, 257, 'latin1');
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : changed[i];
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return changed;
}
