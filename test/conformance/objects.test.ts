/**
 * One suite over every kind of object store: memory, disk, S3's protocol as this cloud speaks it, and Debian's radosgw, which speaks it
 * too and was not written by us.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotFound, ObjectRefused } from '../../actors/contracts/errors.ts';
import type { GetOptions, ObjectStore } from '../../actors/contracts/objects.ts';
import { diskObjects } from '../../cloud/objects/disk.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { openS3Client, s3Objects } from '../../cloud/objects/s3.ts';
import type { Key } from '../kit/aws-client.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { hasRadosGateway, startRadosGateway } from '../kit/radosgw.ts';
import { startS3 } from '../kit/s3-server.ts';

const folder = scratchFolder();
const closing: (() => Promise<void>)[] = [];
const MIB = 2 ** 20;

const overS3 = ({ url, key, close }: { readonly url: string; readonly key: Key; close(): Promise<void> }): ObjectStore => {
  const client = openS3Client({ endpoint: url }, { credentials: key });
  closing.push(async () => {
    client.destroy();
    await close();
  });
  return s3Objects(client);
};

const kinds: Readonly<Record<string, () => ObjectStore | Promise<ObjectStore>>> = {
  memory: () => memoryObjects(),
  disk: () => diskObjects(join(folder, 'disk')),
  's3 (ours, on disk)': async () => overS3(await startS3(join(folder, 's3'))),
  's3 (ours, in memory)': async () => overS3(await startS3(null)),
  ...(hasRadosGateway() ? { 's3 (radosgw)': async () => overS3(await startRadosGateway()) } : {}),
};

const rejects = (work: () => Promise<unknown>, expected: RegExp) =>
  work().then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), expected),
  );

const text = (content: string) => Buffer.from(content);

/** Bytes that differ from place to place, in chunks of an odd size. */
async function* chunks(bytes: number, size = 100_003): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes; at += size) yield pattern(at, Math.min(size, bytes - at));
}
const BLOCK = Buffer.from(Uint8Array.from({ length: 3 * MIB }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
const pattern = (from: number, length: number) => BLOCK.subarray(from % 1_000_003, (from % 1_000_003) + length);

for (const [kind, open] of Object.entries(kinds)) {
  const laws = suite(`objects: ${kind}`);
  let objects: ObjectStore;
  const read = async (key: string, options?: GetOptions, bucket = 'a-bucket') => {
    const got: Uint8Array[] = [];
    for await (const chunk of objects.get(bucket, key, options)) got.push(chunk.slice());
    return Buffer.concat(got);
  };
  const refused = async (done: Promise<unknown>): Promise<string> =>
    done.then(
      () => 'nothing',
      (error: unknown) => (error instanceof ObjectRefused ? error.reason : String(error)),
    );

  laws.before(async () => {
    objects = await open();
  });

  laws('what is put is got, with all that is known of it', async () => {
    const bytes = text('what a turbine saw');
    const sha256 = createHash('sha256').update(bytes).digest('hex');

    const put = await objects.put('a-bucket', 'm/one', bytes, { contentType: 'text/plain', metadata: { origin: 'T-001' } });
    const head = await objects.head('a-bucket', 'm/one');

    assert.equal(head, put);
    assert.equal((await read('m/one')).toString(), bytes.toString());
    const { bucket, key, bytes: length, etag, contentType, metadata } = put;
    const etagOfBytes = createHash('md5').update(bytes).digest('hex');
    assert.equal(
      { bucket, key, length, etag, sha256: put.sha256, contentType, metadata },
      { bucket: 'a-bucket', key: 'm/one', length: 18, etag: etagOfBytes, sha256, contentType: 'text/plain', metadata: { origin: 'T-001' } },
    );
  });

  laws('a part of an object from any byte to any byte', async () => {
    const bytes = pattern(0, 600_000);
    await objects.put('a-bucket', 'ranges', bytes);

    for (const [from, to] of [
      [0, 1],
      [131_072, 262_145],
      [599_999, 600_000],
      [599_999, 900_000],
      [7, 7],
      [9, 5],
      [600_000, 600_001],
    ])
      assert.ok((await read('ranges', { from, to })).equals(bytes.subarray(from, Math.max(from, to))), `${from}–${to}`);
    assert.ok((await read('ranges', { from: 262_143 })).equals(bytes.subarray(262_143)));
    assert.is((await read('ranges', { from: 600_000 })).length, 0);
  });

  laws('another object takes its place, whole; what is deleted is gone', async () => {
    await objects.put('a-bucket', 'm/two', pattern(0, 100_000), { metadata: { of: 'the first' } });
    await objects.put('a-bucket', 'm/two', text('short'));
    assert.is((await read('m/two')).toString(), 'short');
    assert.equal((await objects.head('a-bucket', 'm/two'))?.metadata, {});

    await objects.delete('a-bucket', 'm/two');
    await objects.delete('a-bucket', 'm/two');
    assert.is(await objects.head('a-bucket', 'm/two'), null);
    await read('m/two').then(
      () => assert.unreachable(),
      (error: unknown) => assert.instance(error, NotFound),
    );
  });

  laws('nothing is in a bucket that is not there', async () => {
    assert.is(await objects.head('no-such-bucket', 'k'), null);
    assert.equal(await objects.page('no-such-bucket'), { objects: [], prefixes: [], next: null });
    assert.equal(await objects.list('no-such-bucket'), []);
    await objects.delete('no-such-bucket', 'k');
    await read('k', {}, 'no-such-bucket').then(
      () => assert.unreachable(),
      (error: unknown) => assert.instance(error, NotFound),
    );
  });

  laws('an empty object is an object', async () => {
    await objects.put('a-bucket', 'empty', new Uint8Array(0));
    assert.is((await objects.head('a-bucket', 'empty'))?.bytes, 0);
    assert.is((await read('empty')).length, 0);
  });

  laws('a body of many parts is never whole in memory, and one that breaks off changes nothing', async () => {
    const bytes = 40 * MIB + 12_345;
    const sum = createHash('sha256');
    for await (const chunk of chunks(bytes)) sum.update(chunk);
    let held = 0;
    let most = 0;
    const watched = async function* () {
      for await (const chunk of chunks(bytes)) {
        held += chunk.length;
        yield chunk;
        most = Math.max(most, process.memoryUsage().arrayBuffers);
      }
    };
    const before = process.memoryUsage().arrayBuffers;

    const { etag } = await objects.put('a-bucket', 'large', watched());

    assert.is(held, bytes);
    if (kind === 'disk') assert.ok(most - before < 40 * MIB, `${(most - before) / MIB} MiB`);
    const got = createHash('sha256');
    let length = 0;
    for await (const chunk of objects.get('a-bucket', 'large')) {
      got.update(chunk);
      length += chunk.length;
    }
    assert.is(length, bytes);
    assert.is(got.digest('hex'), sum.digest('hex'));

    const broken = async function* () {
      yield* chunks(20 * MIB);
      throw new Error('the disk of the sender broke');
    };
    await rejects(() => objects.put('a-bucket', 'large', broken()), /of the sender broke/);
    await rejects(() => objects.put('a-bucket', 'never', broken()), /of the sender broke/);
    assert.is((await objects.head('a-bucket', 'large'))?.etag, etag);
    assert.is(await objects.head('a-bucket', 'never'), null);
  });

  laws('any Unicode is a key, to 1 024 bytes', async () => {
    const keys = [
      ...[
        '../../up',
        '..',
        '.',
        'a/../../b',
        '/starts',
        'ends/',
        'a//b',
        ' ',
        'a b',
        'a+b',
        'a%2Fb',
        'a%',
        '100%25',
        '?',
        'a?b=c',
        '#',
        '&',
      ],
      ...[
        'a&b=c',
        "it's",
        '"quoted"',
        '<xml>&amp;',
        'é',
        'e\u0301',
        '风机/数据',
        '🌬️/🌀',
        'tab\there',
        'line\nhere',
        'm/one.object',
        'x.head.json',
      ],
      ...[
        'A',
        'a',
        'con',
        'x'.repeat(1_024),
        '風'.repeat(341),
        `${'deep/'.repeat(204)}end`,
        `${'.'.repeat(1_000)}`,
        '\u{10ffff}',
        '~',
        '*',
        '\\',
        ':',
      ],
    ].filter((key) => kind !== 's3 (radosgw)' || !['/starts', 'line\nhere', '.', '..'].includes(key)); // it has its own mind of these
    for (const key of keys) await objects.put('odd-keys', key, text(key));

    for (const key of keys) {
      assert.is((await read(key, {}, 'odd-keys')).toString(), key);
      assert.is((await objects.head('odd-keys', key))?.key, key);
    }
    assert.equal(
      (await objects.page('odd-keys')).objects.map(({ key }) => key),
      [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    for (const key of keys) await objects.delete('odd-keys', key);
    assert.equal(await objects.list('odd-keys'), []);
  });

  laws('what is no key and no bucket is refused in S3’s words', async () => {
    const put = (bucket: string, key: string) => refused(objects.put(bucket, key, text('x')));
    assert.is(await put('a-bucket', 'x'.repeat(1_025)), 'KeyTooLongError');
    assert.is(await put('a-bucket', '風'.repeat(342)), 'KeyTooLongError');
    assert.is(await put('a-bucket', ''), 'InvalidArgument');
    assert.is(await put('a-bucket', 'a\0b'), 'InvalidArgument');
    assert.is(await put('a-bucket', 'half \ud83d'), 'InvalidURI');
    for (const bucket of ['..', 'Upper', 'a', 'under_score', '../a-bucket', 'x'.repeat(64), '.uploads', 'a..b', '127.0.0.1', ''])
      assert.is(await put(bucket, 'k'), 'InvalidBucketName', bucket);
  });

  laws('pages: by prefix, after a key, grouped at a delimiter, each object once', async () => {
    const keys = ['a', 'b/1', 'b/2', 'b/c/1', 'b-', 'b0', 'd/', 'd/e', 'ü/1', '\ue000', '\u{1f300}'];
    for (const key of keys) await objects.put('paged', key, text(key));
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const names = async (options: Parameters<ObjectStore['page']>[1]) => {
      const { objects: found, prefixes, next } = await objects.page('paged', options);
      return { keys: found.map(({ key }) => key), prefixes, more: next !== null };
    };

    assert.equal(await names({}), { keys: sorted, prefixes: [], more: false });
    assert.equal(await names({ prefix: 'b/' }), { keys: ['b/1', 'b/2', 'b/c/1'], prefixes: [], more: false });
    assert.equal(await names({ delimiter: '/' }), {
      keys: sorted.filter((key) => !key.includes('/')),
      prefixes: ['b/', 'd/', 'ü/'],
      more: false,
    });
    assert.equal(await names({ prefix: 'b/', delimiter: '/' }), { keys: ['b/1', 'b/2'], prefixes: ['b/c/'], more: false });
    assert.equal(await names({ after: 'b0' }), { keys: sorted.slice(sorted.indexOf('b0') + 1), prefixes: [], more: false });
    assert.equal(await names({ prefix: 'nothing' }), { keys: [], prefixes: [], more: false });

    for (const delimiter of ['', '/'])
      for (const limit of [1, 2, 3]) {
        const seen: string[] = [];
        for (let after: string | null | undefined; after !== null; ) {
          const page = await objects.page('paged', { delimiter, limit, ...(after === undefined ? {} : { after }) });
          assert.ok(page.objects.length + page.prefixes.length <= limit);
          seen.push(...page.objects.map(({ key }) => key), ...page.prefixes);
          after = page.next;
        }
        const whole = await objects.page('paged', { delimiter });
        assert.equal(seen.sort(), [...whole.objects.map(({ key }) => key), ...whole.prefixes].sort(), `${delimiter} ${limit}`);
      }
    assert.equal(
      (await objects.list('paged', 'b')).map(({ key, sha256 }) => [key, sha256]),
      sorted.filter((key) => key.startsWith('b')).map((key) => [key, createHash('sha256').update(key).digest('hex')]),
    );
  });

  laws('of many writers that find nothing exactly one wins', async () => {
    for (let round = 0; round < 5; round++) {
      const key = `once/${round}`;
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          refused(objects.put('a-bucket', key, i % 2 ? text(`writer ${i}`) : chunks(300_000 + i), { ifNoneMatch: '*' })),
        ),
      );
      assert.equal(outcomes.filter((outcome) => outcome === 'nothing').length, 1, outcomes.join());
      assert.equal(outcomes.filter((outcome) => outcome === 'PreconditionFailed').length, 7, outcomes.join());
      const winner = outcomes.indexOf('nothing');
      assert.is((await objects.head('a-bucket', key))?.bytes, winner % 2 ? 8 : 300_000 + winner);
    }
    assert.is(await refused(objects.put('a-bucket', 'once/0', text('late'), { ifNoneMatch: '*' })), 'PreconditionFailed');
    await objects.delete('a-bucket', 'once/0');
    assert.is(await refused(objects.put('a-bucket', 'once/0', text('again'), { ifNoneMatch: '*' })), 'nothing');
  });

  laws('who reads while it is replaced reads one or the other', async () => {
    const [one, other] = [Buffer.alloc(700_000, 1), Buffer.alloc(500_000, 2)];
    await objects.put('a-bucket', 'flips', one);
    const writes = (async () => {
      for (let i = 0; i < 10; i++) await objects.put('a-bucket', 'flips', i % 2 ? one : other);
    })();
    for (let i = 0; i < 20; i++) {
      const got = await read('flips');
      assert.ok(got.equals(one) || got.equals(other), `${got.length} bytes, ${got[0]} … ${got.at(-1)}`);
    }
    await writes;
  });

  laws('a reader that leaves, and one that is told to, leave nothing open', async () => {
    await objects.put('a-bucket', 'left', pattern(0, 2 * MIB));
    for await (const chunk of objects.get('a-bucket', 'left')) {
      assert.ok(chunk.length > 0);
      break;
    }
    const stop = new AbortController();
    await rejects(async () => {
      for await (const _ of objects.get('a-bucket', 'left', { signal: stop.signal })) stop.abort(new Error('enough'));
    }, /enough|abort/i);
    assert.is((await read('left')).length, 2 * MIB);
  });

  laws.run();
}

const after = suite('objects: the end');
after('everything closes', async () => {
  for (const close of closing) await close();
  removeFolder(folder);
});
after.run();
