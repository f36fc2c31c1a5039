import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EnvironmentLacking } from '../../actors/contracts/errors.ts';
import { packModel } from '../../actors/package/package.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import type { Agent } from '../../physical/agent/server.ts';
import { type Ask, floats, startTestAgent, unpackInto, windowTensor } from '../kit/agent.ts';
import { createRng } from '../../twins/rng.ts';
import { removeFolder } from '../kit/farm-process.ts';
import { starter } from '../kit/packages.ts';

const calls = suite('edge agent');

let agent: Agent;
let ask: Ask;
let folder: string;
let close: () => void;

calls.before(async () => {
  ({ agent, ask, folder, close } = await startTestAgent());
  assert.is((await ask('LoadModel', { url: 'model.tar.gz', name: 'Wind-1-0' })).code, 'OK');
});
calls.after(async () => {
  close();
  await agent.close();
  removeFolder(folder);
});

/** After an attack: the agent still answers as it should. */
async function servesStill() {
  const { code, value } = await ask('Predict', { name: 'Wind-1-0', tensors: [windowTensor(0.5)] });
  assert.is(code, 'OK');
  assert.is(value.tensors.length, 2);
}

calls('lists a model so that a client of the original finds the reconstruction at output 0', async () => {
  const { value } = await ask('ListModels');

  const [model] = value.models;
  assert.is(model.name, 'Wind-1-0');
  assert.equal(model.input_tensor_metadatas, [{ name: 'input0', data_type: 5, shape: [1, 16, 100] }]);
  assert.equal(model.output_tensor_metadatas[0], { name: 'reconstruction', data_type: 5, shape: [1, 16, 100] });
  assert.equal((await ask('DescribeModel', { name: 'Wind-1-0' })).value.model, model);
});

calls('answers inline, in the order of its list, the golden scores to the bit that the package promises', async () => {
  const { golden, manifest } = starter();

  for (const [i, window] of golden.windows.entries()) {
    const { value } = await ask('Predict', { name: 'Wind-1-0', tensors: [floats('input0', [1, 16, 100], window)] });
    const [reconstruction, scores] = value.tensors;
    assert.is(reconstruction.tensor_metadata.name, 'reconstruction');
    assert.is(reconstruction.byte_data.length, 6_400);
    const got = new Float32Array(new Uint8Array(scores.byte_data).buffer);
    for (const [f, score] of got.entries())
      assert.ok(Math.abs(score - golden.scores[i][f]) <= manifest.golden.tolerance * Math.max(1, golden.scores[i][f]));
  }
});

calls('takes the folder of a package as well, beside a model that stays', async () => {
  assert.is((await ask('LoadModel', { url: join(folder, 'model'), name: 'Wind-2-0' })).code, 'OK');
  assert.is((await ask('ListModels')).value.models.length, 2);
  assert.is((await ask('LoadModel', { url: 'model', name: 'Wind-2-0' })).code, 'ALREADY_EXISTS');
  assert.is((await ask('UnLoadModel', { name: 'Wind-2-0' })).code, 'OK');
  assert.is((await ask('Predict', { name: 'Wind-2-0', tensors: [windowTensor()] })).code, 'NOT_FOUND');
  assert.is((await ask('UnLoadModel', { name: 'Wind-2-0' })).code, 'NOT_FOUND');
  assert.is((await ask('DescribeModel', { name: 'Wind-2-0' })).code, 'NOT_FOUND');
});

calls('says why it does not load', async () => {
  const { manifest, network, golden } = starter();
  const stranger = generateKey();
  const pack = (change: object = {}, key = stranger) =>
    packModel({ manifest: { ...manifest, ...change }, network, golden }, key.privateKey);
  writeFileSync(join(folder, 'stranger.tar.gz'), pack().bytes);
  writeFileSync(join(folder, 'noise.tar.gz'), 'no gzip at all');
  unpackInto(join(folder, 'unsigned'), new Map([['compiled.onnx', network]]));
  unpackInto(join(folder, 'empty'), new Map());
  unpackInto(join(folder, 'nested/inside'), new Map());
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  symlinkSync(join(folder, 'model.tar.gz'), join(folder, 'link.tar.gz'));
  unpackInto(join(folder, 'linked'), new Map());
  symlinkSync('/etc/passwd', join(folder, 'linked/compiled.onnx'));
  const cases: [string, string, RegExp][] = [
    ['nowhere', 'NOT_FOUND', /nothing lies at/],
    ['', 'NOT_FOUND', /url is empty/],
    ['model.tar.gz/inside', 'NOT_FOUND', /nothing lies at/],
    ['../elsewhere', 'FAILED_PRECONDITION', /leads out of the agent's working folder/],
    ['s3://bucket/key', 'FAILED_PRECONDITION', /no local path/],
    ['a\0b', 'FAILED_PRECONDITION', /no path/],
    ['stranger.tar.gz', 'FAILED_PRECONDITION', /no trusted key/],
    ['noise.tar.gz', 'FAILED_PRECONDITION', /no whole gzip/],
    ['unsigned', 'FAILED_PRECONDITION', /unsigned; start the agent with --allow-unsigned/],
    ['empty', 'FAILED_PRECONDITION', /unsigned/],
    ['nested', 'FAILED_PRECONDITION', /holds a folder/],
    ['pipe', 'FAILED_PRECONDITION', /no plain file/],
    ['/dev/zero', 'FAILED_PRECONDITION', /no plain file/],
    ['/etc/passwd', 'FAILED_PRECONDITION', /no whole gzip/],
    ['link.tar.gz', 'FAILED_PRECONDITION', /is a link/],
    ['linked', 'FAILED_PRECONDITION', /is a link/],
    ['/proc/self/mem', 'FAILED_PRECONDITION', /./],
  ];

  for (const [url, code, words] of cases) {
    const reply = await ask('LoadModel', { url, name: 'Other' });
    assert.is(reply.code, code, `${url}: ${reply.code} ${reply.details}`);
    assert.match(reply.details, words);
  }
  for (const name of ['', 'a/b', '../x', '-a', 'a-', 'Wind 1', 'é', 'x'.repeat(129)])
    assert.is((await ask('LoadModel', { url: 'model.tar.gz', name })).code, 'INVALID_ARGUMENT', name);
  await servesStill();
});

calls('refuses another machine’s package, and any unsigned Neo model, by name', async () => {
  const {
    agent: other,
    ask: askOther,
    close: closeOther,
    folder: place,
    key,
  } = await startTestAgent({ allowUnsigned: true, target: 'arm64' });
  const { manifest, network, golden } = starter();
  writeFileSync(join(place, 'x64.tar.gz'), packModel({ manifest: { ...manifest, target: 'x64' }, network, golden }, key.privateKey).bytes);
  unpackInto(
    join(place, 'neo'),
    new Map([
      ['compiled.so', network],
      ['compiled.params', network],
    ]),
  );
  unpackInto(join(place, 'broken'), new Map([['compiled.onnx', network.slice(0, 5_000)]]));
  unpackInto(
    join(place, 'bare'),
    new Map([
      ['compiled.onnx', network],
      ['compiled.meta', network],
    ]),
  );

  assert.match((await askOther('LoadModel', { url: 'x64.tar.gz', name: 'A' })).details, /compiled for x64, and this machine is arm64/);
  assert.match((await askOther('LoadModel', { url: 'neo', name: 'A' })).details, /another runtime; this one wants compiled.onnx/);
  const broken = await askOther('LoadModel', { url: 'broken', name: 'A' });
  assert.is(broken.code, 'FAILED_PRECONDITION');
  assert.is((await askOther('LoadModel', { url: 'bare', name: 'A' })).code, 'OK');

  closeOther();
  await other.close();
  removeFolder(place);
});

calls('a package that was touched is refused even where unsigned ones are not', async () => {
  const { agent: other, ask: askOther, close: closeOther, folder: place } = await startTestAgent({ allowUnsigned: true });
  writeFileSync(join(place, 'model', 'golden.json'), '{}');

  const { code, details } = await askOther('LoadModel', { url: 'model', name: 'A' });
  assert.is(code, 'FAILED_PRECONDITION');
  assert.match(details, /golden.json is not the file that was signed/);

  closeOther();
  await other.close();
  removeFolder(place);
});

calls('loads as many models as its memory holds', async () => {
  const { agent: small, ask: askSmall, close: closeSmall, folder: place } = await startTestAgent({ memoryBytes: 10 * 2 ** 20 });

  assert.is((await askSmall('LoadModel', { url: 'model', name: 'A' })).code, 'OK');
  assert.is((await askSmall('LoadModel', { url: 'model', name: 'B' })).code, 'OK');
  const { code, details } = await askSmall('LoadModel', { url: 'model', name: 'C' });
  assert.is(code, 'RESOURCE_EXHAUSTED');
  assert.match(details, /unload one/);
  await askSmall('UnLoadModel', { name: 'A' });
  assert.is((await askSmall('LoadModel', { url: 'model', name: 'C' })).code, 'OK');

  closeSmall();
  await small.close();
  removeFolder(place);
});

calls('checks what a Predict brings, and names both sides', async () => {
  const bytes = Buffer.alloc(6_400);
  const tensor = (metadata: object | null, byte_data: Uint8Array = bytes) => ({ tensor_metadata: metadata, byte_data });
  const meta = { name: 'input0', data_type: 5, shape: [1, 16, 100] };
  const cases: [string, object[], string, RegExp][] = [
    ['another name', [tensor({ ...meta, name: 'input1' })], 'INVALID_ARGUMENT', /no input "input1"; the model's inputs: input0/],
    ['another type', [tensor({ ...meta, data_type: 6 })], 'INVALID_ARGUMENT', /type mismatch: input0 is FLOAT32, got FLOAT64/],
    ['no such type', [tensor({ ...meta, data_type: 99 })], 'INVALID_ARGUMENT', /type mismatch/],
    ['another shape', [tensor({ ...meta, shape: [1, 6, 10, 10] })], 'INVALID_ARGUMENT', /is \[any, 16, 100\], got \[1, 6, 10, 10\]/],
    ['a byte short', [tensor(meta, bytes.subarray(1))], 'INVALID_ARGUMENT', /input-size mismatch: .* wants 6400 bytes, got 6399 bytes/],
    ['no bytes', [{ tensor_metadata: meta }], 'INVALID_ARGUMENT', /got 0 bytes/],
    ['negative', [tensor({ ...meta, shape: [-1, 16, 100] })], 'INVALID_ARGUMENT', /dimension 0 is -1/],
    ['huge', [tensor({ ...meta, shape: [2147483647, 16, 100] })], 'INVALID_ARGUMENT', /2147483647 rows/],
    ['many', [tensor({ ...meta, shape: new Array(5_000).fill(7) })], 'INVALID_ARGUMENT', /shape mismatch/],
    ['twice', [windowTensor(), windowTensor()], 'INVALID_ARGUMENT', /input0 is there twice/],
    ['none', [], 'INVALID_ARGUMENT', /input0 is missing/],
    [
      'shared memory',
      [{ tensor_metadata: meta, shared_memory_handle: { size: 0, offset: 0, segment_id: 42 } }],
      'UNIMPLEMENTED',
      /send it inline, in byte_data/,
    ],
  ];

  for (const [what, tensors, code, words] of cases) {
    const reply = await ask('Predict', { name: 'Wind-1-0', tensors });
    assert.is(reply.code, code, `${what}: ${reply.code} ${reply.details}`);
    assert.match(reply.details, words, what);
  }
  assert.is((await ask('Predict', { name: 'Wind-1-0', tensors: [tensor(null)] })).code, 'OK', 'metadata may be left out');
  assert.is((await ask('Predict', { name: 'nobody', tensors: [windowTensor()] })).code, 'NOT_FOUND');
  assert.is((await ask('Predict', { name: 'no/body', tensors: [windowTensor()] })).code, 'INVALID_ARGUMENT');
});

calls('a message above 16 MB is refused, and garbage too', async () => {
  const { code } = await ask('Predict', {
    name: 'Wind-1-0',
    tensors: [{ tensor_metadata: null, byte_data: Buffer.alloc(17 * 2 ** 20) }],
  });
  assert.is(code, 'RESOURCE_EXHAUSTED');

  const latin = Buffer.from([0x0a, 0x02, 0xff, 0xfe, 0x10, 0x05]); // TensorMetadata whose name is not UTF-8
  const withLatinName = Buffer.concat([Buffer.from([0x12, latin.length + 2, 0x0a, latin.length]), latin]);
  const surrogate = Buffer.from([0x0a, 0x03, 0xed, 0xa0, 0x80]); // a model called by half a surrogate pair
  const bodies: [string, Buffer, (code: number) => boolean][] = [
    ['cut off in a field', frame(Buffer.from([0x0a, 0x7f, 0x41])), (n) => n !== 0],
    ['an endless varint', frame(Buffer.alloc(64, 0xff)), (n) => n !== 0],
    ['a group of nothing', frame(Buffer.from([0x0b, 0x0b, 0x0b])), (n) => n !== 0],
    ['no frame', Buffer.from('GET / HTTP/1.1\r\n\r\n'), (n) => n !== 0],
    ['a frame that promises more', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]), (n) => n !== 0],
    ['a compressed frame without its encoding', Buffer.from([1, 0, 0, 0, 1, 1]), (n) => n !== 0],
    ['a name that is not UTF-8', frame(Buffer.concat([Buffer.from('\x0a\x08Wind-1-0', 'latin1'), withLatinName])), (n) => n === 3],
    ['half a surrogate pair', frame(surrogate), (n) => n === 3],
    ['nothing', Buffer.alloc(0), (n) => n !== 0],
  ];
  for (const [what, body, isIt] of bodies) {
    const answer = await post(agent.socket, '/AWS.SageMaker.Edge.Agent/Predict', body);
    assert.ok(isIt(answer), `${what}: gRPC status ${answer}`);
    await servesStill();
  }
  assert.is(await post(agent.socket, '/AWS.SageMaker.Edge.Agent/Nothing', frame(Buffer.alloc(0))), 12);
  await new Promise<void>((done) => {
    const raw = connect(agent.socket, () => raw.end('no HTTP/2 at all\r\n\r\n'));
    raw.on('error', () => {}).on('close', () => done());
    raw.resume();
  });
  await servesStill();
});

calls('a network with a name that is not UTF-8 is refused, and blocks no other', async () => {
  const { agent: other, ask: askOther, close: closeOther, folder: place } = await startTestAgent({ allowUnsigned: true });
  const network = Buffer.from(starter().network);
  for (let at = network.indexOf('reconstruction'); at >= 0; at = network.indexOf('reconstruction', at)) network[at] = 0xff;
  unpackInto(join(place, 'latin'), new Map([['compiled.onnx', network]]));

  const { code, details } = await askOther('LoadModel', { url: 'latin', name: 'Latin' });
  assert.is(code, 'FAILED_PRECONDITION');
  assert.match(details, /UTF-8/);
  assert.is((await askOther('LoadModel', { url: 'model', name: 'Good' })).code, 'OK');
  assert.is((await askOther('ListModels')).value.models.length, 1);

  closeOther();
  await other.close();
  removeFolder(place);
});

calls('noise to every call is answered with a status', async () => {
  const rpcs = ['Predict', 'LoadModel', 'UnLoadModel', 'ListModels', 'DescribeModel', 'CaptureData', 'GetCaptureDataStatus'];
  for (const [i, rpc] of [...rpcs, ...rpcs, ...rpcs, ...rpcs].entries()) {
    const bytes = Uint8Array.from({ length: 1 + 7 * i }, (_, k) => Math.floor(createRng(i).uniform(k) * 256));
    const code = await post(agent.socket, `/AWS.SageMaker.Edge.Agent/${rpc}`, frame(bytes));
    assert.ok(code > 0 || rpc === 'ListModels', `${rpc} ${Buffer.from(bytes).toString('hex')}: ${code}`);
  }
  await servesStill();
});

calls('a thousand Predicts at once are all answered, and a model may be unloaded among them', async () => {
  await ask('LoadModel', { url: 'model', name: 'Busy' });

  const replies = Array.from({ length: 1_000 }, (_, i) => ask('Predict', { name: 'Busy', tensors: [windowTensor(i / 1_000)] }));
  await replies[300];
  const unloaded = await ask('UnLoadModel', { name: 'Busy' });
  const codes = (await Promise.all(replies)).map(({ code }) => code);

  assert.is(unloaded.code, 'OK');
  assert.ok(codes.every((code) => code === 'OK' || code === 'NOT_FOUND'));
  assert.ok(codes.filter((code) => code === 'OK').length > 300);
  await servesStill();
});

calls('two clients that load one name: one of them is told so', async () => {
  const both = await Promise.all([1, 2].map(() => ask('LoadModel', { url: 'model', name: 'Twin' })));
  assert.equal(both.map(({ code }) => code).sort(), ['ALREADY_EXISTS', 'OK']);
  await ask('UnLoadModel', { name: 'Twin' });
});

calls('its socket is its user’s alone, is not taken from a living agent, and is from a dead one', async () => {
  assert.is(statSync(agent.socket).mode & 0o777, 0o600);
  await startTestAgent({ socket: agent.socket }).then(
    () => assert.unreachable(),
    (error: unknown) => {
      assert.instance(error, EnvironmentLacking);
      assert.match(String(error), /another agent answers/);
    },
  );
  await servesStill();

  writeFileSync(join(folder, 'file'), '');
  await startTestAgent({ socket: join(folder, 'file') }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /is no socket/),
  );

  const dead = join(folder, 'dead');
  const script = `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  assert.ok(statSync(dead).isSocket());
  const heir = await startTestAgent({ socket: dead });
  assert.is((await heir.ask('ListModels')).code, 'OK');
  heir.close();
  await heir.agent.close();
  assert.not.ok(existsSync(dead));
  removeFolder(heir.folder);
});

const frame = (message: Uint8Array) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

/** A raw HTTP/2 body. @returns its gRPC status; −1 when the stream was broken off */
function post(socket: string, path: string, body: Buffer): Promise<number> {
  const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) });
  return new Promise((done) => {
    let code = -1;
    const hear = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) code = Number(headers['grpc-status']);
    };
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('response', hear).on('trailers', hear);
    stream.on('error', () => {});
    stream.on('close', () => {
      session.close();
      done(code);
    });
    stream.resume();
    stream.end(body);
  });
}

calls.run();
