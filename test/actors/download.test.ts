import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused } from '../../actors/contracts/errors.ts';
import { download } from '../../actors/ota/download.ts';
import { codeOf } from '../../actors/ota/refusal.ts';
import type { ModelOrder } from '../../actors/package/job-document.ts';
import { isPlaceOfNobody } from '../../cloud/objects/addresses.ts';
import { httpObjects } from '../../cloud/objects/http.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { freePort } from '../kit/free-port.ts';

const downloads = suite('download');

const SIZE = 1_000_000;
const BODY = Buffer.from(Uint8Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 9)) & 0xff));
const order: ModelOrder = {
  name: 'm',
  version: '2.0.0',
  bucket: 'windfleet-sagemaker-models',
  key: 'm/m-2.0.0.tar.gz',
  sha256: 'a'.repeat(64),
};
const PART = `download/${order.sha256}.part`;

type Serve = (request: IncomingMessage, response: ServerResponse, asked: number) => void;

/** A server that does what it is told, and a download from it. @param serve of the n-th GET */
async function serving(
  serve: Serve,
  { bytes = SIZE as number | null, head }: { bytes?: number | null; head?: (response: ServerResponse) => void } = {},
) {
  let asked = 0;
  const ranges: (string | null)[] = [];
  const server = createServer((request, response) => {
    response.on('error', () => {});
    if (request.method === 'HEAD') {
      if (head) return head(response);
      return void response.writeHead(200, bytes === null ? { 'transfer-encoding': 'chunked' } : { 'content-length': bytes }).end();
    }
    ranges.push(request.headers.range ?? null);
    serve(request, response, ++asked);
  });
  const port = await freePort();
  await new Promise<void>((open) => server.listen(port, '127.0.0.1', open));
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    ranges,
    close: () =>
      new Promise<void>((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

/** A clock that goes on by itself in between, so that patience costs no time. */
function hurryingClock() {
  const clock = new VirtualClock();
  let isOver = false;
  const run = async () => {
    while (!isOver) await clock.run(clock.now() + 1);
  };
  const running = run();
  return {
    clock,
    async stop() {
      isOver = true;
      await running;
    },
  };
}

interface Given {
  readonly url: string;
  readonly disk?: ReturnType<typeof memoryDisk>;
  readonly askAgain?: () => Promise<ModelOrder>;
  readonly silenceMs?: number;
  readonly clock?: VirtualClock;
}

async function fetchIt({ url, disk = memoryDisk(), askAgain = async () => order, silenceMs = 2_000, clock: given }: Given) {
  const own = given ? null : hurryingClock();
  const told: number[] = [];
  const end = new AbortController();
  try {
    const bytes = await download(httpObjects(url, { silenceMs }), disk, order, {
      clock: given ?? own!.clock,
      signal: end.signal,
      progress: async (held) => void told.push(held),
      askAgain,
    });
    return { bytes, told, code: null, error: null };
  } catch (error) {
    return { bytes: null, told, code: codeOf(error), error: String(error) };
  } finally {
    end.abort();
    await own?.stop();
  }
}

const from = (request: IncomingMessage) => Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
/** As an honest server answers, up to `until`, and then breaks the line. */
const honest = (request: IncomingMessage, response: ServerResponse, until = SIZE) => {
  const first = from(request);
  response.writeHead(first > 0 ? 206 : 200, {
    'content-length': SIZE - first,
    ...(first > 0 ? { 'content-range': `bytes ${first}-${SIZE - 1}/${SIZE}` } : {}),
  });
  if (until >= SIZE) return void response.end(BODY.subarray(first));
  response.write(BODY.subarray(first, until), () => response.destroy());
};

downloads('goes on by a range from where the line broke, each byte once, and tells how far it is', async () => {
  const server = await serving((request, response, n) => honest(request, response, n === 1 ? 300_000 : n === 2 ? 700_000 : SIZE));
  const { bytes, told } = await fetchIt(server);
  assert.ok(BODY.equals(bytes!));
  assert.is(server.ranges[0], null);
  assert.is(server.ranges.length, 3);
  for (const range of server.ranges.slice(1)) assert.match(range!, /^bytes=[1-9]\d*-$/);
  assert.ok(told.length >= 3 && told.every((n, i) => i === 0 || n > told[i - 1]));
  await server.close();
});

downloads('a restart goes on with the part that is on the disk, and clears those of other packages away', async () => {
  const server = await serving((request, response) => honest(request, response));
  const disk = memoryDisk();
  await disk.write(PART, BODY.subarray(0, 123_456));
  await disk.write(`download/${'b'.repeat(64)}.part`, Buffer.from('of another job'));
  const { bytes } = await fetchIt({ ...server, disk });
  assert.ok(BODY.equals(bytes!));
  assert.equal(server.ranges, ['bytes=123456-']);
  assert.equal(await disk.list('download'), [`${order.sha256}.part`]);
  await server.close();
});

downloads('a server that answers a range with the whole is read on from where it was asked', async () => {
  const server = await serving((_, response, n) => {
    if (n === 1) return honest(_, response, 400_000);
    response.writeHead(200, { 'content-length': SIZE }).end(BODY);
  });
  const { bytes } = await fetchIt(server);
  assert.ok(BODY.equals(bytes!));
  await server.close();
});

downloads('a server that answers with another range than it was asked for is not believed', async () => {
  const server = await serving((request, response, n) => {
    if (n === 1) return honest(request, response, 400_000);
    response.writeHead(206, { 'content-range': `bytes 500000-${SIZE - 1}/${SIZE}`, 'content-length': SIZE - 500_000 });
    response.end(BODY.subarray(500_000));
  });
  const { code, error } = await fetchIt(server);
  assert.is(code, 'store.unavailable');
  assert.match(error!, /another range/);
  await server.close();
});

const refusals: readonly {
  readonly name: string;
  readonly code: string;
  readonly serve?: Serve;
  readonly options?: Parameters<typeof serving>[1];
}[] = [
  { name: 'ten gigabytes, announced', code: 'download.too-large', options: { bytes: 10 * 2 ** 30 } },
  { name: 'no length at all', code: 'download.length', options: { bytes: null } },
  {
    name: 'a stream without end behind a length that fits',
    code: 'download.length',
    serve: (_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      const block = Buffer.alloc(64 * 1024, 7);
      const more = () => {
        while (!response.destroyed && response.write(block));
      };
      response.on('drain', more);
      more();
    },
  },
  {
    name: 'fewer bytes than were announced, again and again',
    code: 'download.length',
    serve: (request, response) => {
      const first = from(request);
      const part = BODY.subarray(first, Math.max(first, 500_000));
      response.writeHead(first > 0 ? 206 : 200, {
        'content-length': part.length,
        ...(first > 0 ? { 'content-range': `bytes ${first}-${first + part.length}/${SIZE}` } : {}),
      });
      response.end(part);
    },
  },
  {
    name: 'a redirect to the metadata of a cloud',
    code: 'store.redirect',
    serve: (_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
  },
  {
    name: 'a redirect of the head',
    code: 'store.redirect',
    options: { head: (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end() },
  },
  { name: 'nothing of that key', code: 'store.absent', options: { head: (response) => void response.writeHead(404).end() } },
  {
    name: 'a leave that has run out, and is not renewed',
    code: 'store.denied',
    serve: (_, response) => void response.writeHead(403).end(),
  },
  { name: 'errors without end', code: 'store.unavailable', serve: (_, response) => void response.writeHead(503).end() },
  {
    name: 'a body in an encoding that nobody asked for',
    code: 'store.unavailable',
    serve: (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(BODY),
  },
  {
    name: 'silence after the head of the answer',
    code: 'store.unavailable',
    serve: (_, response) => void response.writeHead(200, { 'content-length': SIZE }).flushHeaders(),
  },
];
const willing: Serve = (request, response) => honest(request, response);
for (const { name, code, serve = willing, options } of refusals)
  downloads(`refuses with ${code}: ${name}`, async () => {
    const server = await serving(serve, options);
    const disk = memoryDisk();
    const got = await fetchIt({ ...server, disk, silenceMs: 100 });
    assert.is(got.code, code, got.error ?? 'it was taken');
    assert.ok(((await disk.read(PART))?.length ?? 0) <= SIZE, 'no more than was announced is on the disk');
    assert.not.match(got.error!, /\?|X-Amz|169\.254/, 'no query and no place that it was led to');
    await server.close();
  });

downloads('a slow-loris, a byte now and then, is given up at its pace', async () => {
  const clock = new VirtualClock();
  const server = await serving((_, response) => {
    response.writeHead(200, { 'content-length': SIZE });
    let at = 0;
    const drip = () => {
      if (response.destroyed || at > 100) return;
      response.write(BODY.subarray(at, ++at), () => clock.run(clock.now() + 5_000).then(drip));
    };
    drip();
  });
  const { code, error } = await fetchIt({ ...server, clock });
  assert.is(code, 'download.too-slow', error ?? '');
  await server.close();
});

downloads('asks for the job anew when its leave to read has run out, and goes on with what that says', async () => {
  let isRenewed = false;
  const server = await serving((request, response) => {
    if (!isRenewed && from(request) > 0) return void response.writeHead(403).end();
    honest(request, response, isRenewed ? SIZE : 400_000);
  });
  const { bytes } = await fetchIt({
    ...server,
    askAgain: async () => {
      isRenewed = server.ranges.length > 2;
      return order;
    },
  });
  assert.ok(BODY.equals(bytes!));
  await server.close();
});

downloads('ends when the job has been withdrawn meanwhile', async () => {
  const server = await serving((request, response) => honest(request, response, 1_000));
  const { code } = await fetchIt({ ...server, askAgain: () => Promise.reject(new JobRefused('InvalidStateTransition', 'withdrawn')) });
  assert.is(code, 'job.withdrawn');
  assert.is(server.ranges.length, 1);
  await server.close();
});

downloads('a full disk is said at once, and the part can be gone on with', async () => {
  const server = await serving((request, response) => honest(request, response));
  const disk = memoryDisk();
  let room = 300_000;
  const full: typeof disk = {
    ...disk,
    async append(path, bytes) {
      room -= bytes.length;
      if (room < 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      return disk.append(path, bytes);
    },
  };
  assert.is((await fetchIt({ ...server, disk: full })).code, 'disk.full');
  assert.is(server.ranges.length, 1);

  room = Infinity;
  assert.ok(BODY.equals((await fetchIt({ ...server, disk: full })).bytes!));
  assert.match(server.ranges[1]!, /^bytes=[1-9]/);
  await server.close();
});

downloads('does not go on from what the disk did not keep whole', async () => {
  const server = await serving((request, response) => honest(request, response));
  const disk = memoryDisk();
  let appends = 0;
  const forgetful = {
    ...disk,
    async append(path: string, bytes: Uint8Array) {
      if (++appends === 2) await disk.remove(path); // what came first is gone, and nobody is told
      await disk.append(path, bytes);
    },
  };

  assert.ok(BODY.equals((await fetchIt({ ...server, disk: forgetful })).bytes!));
  assert.equal(server.ranges, [null, null]);
  await server.close();
});

downloads('asks one address: that which the name had first', async () => {
  const server = await serving((request, response) => honest(request, response, from(request) > 0 ? SIZE : 500_000));
  const asked: string[] = [];
  const url = server.url.replace('127.0.0.1', 'store.test');
  const objects = httpObjects(url, {
    addressesOf: async (host) => {
      asked.push(host);
      return [{ address: asked.length === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }];
    },
  });
  const { clock, stop } = hurryingClock();
  const options = { clock, signal: new AbortController().signal, progress: async () => {}, askAgain: async () => order };
  assert.ok(BODY.equals(await download(objects, memoryDisk(), order, options)));
  assert.equal(asked, ['store.test']);
  await stop();
  await server.close();
});

downloads('does not ask where no store is, however it is written', async () => {
  for (const address of [
    '169.254.169.254',
    '0.0.0.0',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '224.0.0.1',
    'fd00:ec2::254',
    'x',
  ])
    assert.ok(isPlaceOfNobody(address), address);
  for (const address of ['127.0.0.1', '::1', '10.0.0.7', '192.168.1.2', '8.8.8.8', '::ffff:127.0.0.1', '2001:db8::1'])
    assert.not(isPlaceOfNobody(address), address);
  const objects = httpObjects('http://store.test:1', { addressesOf: async () => [{ address: '169.254.169.254', family: 4 }] });
  await objects.head('b-ucket', 'k').then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /store\.test leads to 169\.254/),
  );
  await httpObjects('http://[::ffff:169.254.169.254]:80')
    .head('b-ucket', 'k')
    .then(
      () => assert.unreachable(),
      (error: unknown) => assert.match(String(error), /leads to/),
    );
});

downloads('a wall clock, too: a server that is not there is said so', async () => {
  const clock = wallClock();
  const objects = httpObjects(`http://127.0.0.1:${await freePort()}`);
  const end = new AbortController();
  end.abort();
  await download(objects, memoryDisk(), order, { clock, signal: end.signal, progress: async () => {}, askAgain: async () => order }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /does not answer/),
  );
});

downloads.run();
