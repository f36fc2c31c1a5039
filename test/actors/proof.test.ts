import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected } from '../../actors/contracts/errors.ts';
import { childProver } from '../../actors/inference/proof/prover.ts';
import { createRng } from '../../twins/rng.ts';
import { modelAround } from '../kit/network-model.ts';
import { denseNetwork } from '../kit/reference-network.ts';

const proof = suite('proof of a network in a process of its own');
const folder = mkdtempSync(join(tmpdir(), 'windfleet-proof-'));
proof.after(() => rmSync(folder, { recursive: true }));

const { manifest, network, golden } = modelAround(denseNetwork(6, 100, [8, 2, 8], createRng(1)));

/** A process that does this instead of loading the network. */
function processThat(name: string, does: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `import { appendFileSync } from 'node:fs'; process.stdin.resume(); process.stdin.on('end', () => { ${does} });`);
  return file;
}

async function refusal(work: Promise<void>): Promise<string> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, ModelRejected);
  return (error as ModelRejected).message;
}

proof('a good network passes', () => childProver().prove(manifest, network, golden));

proof('a network with wrong golden answers, or with none of its bytes, is refused in the engine’s own words', async () => {
  const off = { ...golden, scores: golden.scores.map((row) => row.map((score) => score + 1)) };
  assert.match(await refusal(childProver().prove(manifest, network, off)), /rejected: golden sample 0, .* not /);
  assert.match(await refusal(childProver().prove(manifest, network.subarray(0, network.length / 2), golden)), /^model \S+ rejected: [^:]/);
  assert.match(await refusal(childProver().prove(manifest, new Uint8Array(0), golden)), /^model \S+ rejected: /);
});

proof('a process that crashes, takes all memory, spins or sleeps for ever is a refusal, and this one goes on', async () => {
  const limits = { memoryMiB: 256, seconds: 2 };
  const tried = (name: string, does: string) => refusal(childProver(limits, processThat(name, does)).prove(manifest, network, golden));
  const [crash, memory, spin, sleep, babble, quiet] = await Promise.all([
    tried('crash', 'process.abort()'),
    tried('memory', 'const all = []; for (;;) all.push(Buffer.alloc(2 ** 24, 1));'),
    tried('spin', 'for (;;);'),
    tried('sleep', 'setInterval(() => {}, 1_000)'),
    tried('babble', 'for (let i = 0; i < 1e4; i++) process.stdout.write("x".repeat(1_000)); '),
    tried('quiet', 'process.exit(0)'),
  ]);
  assert.match(crash, /ended \(SIGABRT\)/);
  assert.match(memory, /ended \(/);
  assert.match(spin, /had not answered its golden samples after 2 s/);
  assert.match(sleep, /had not answered its golden samples after 2 s/);
  assert.match(babble, /ended \(exit 0\)/);
  assert.match(quiet, /ended \(exit 0\)/);
});

proof('it sees nothing of the environment', async () => {
  process.env['WINDFLEET_SECRET_OF_A_TEST'] = 'x';
  const tells = processThat('environment', 'process.stdout.write(JSON.stringify({ refusal: Object.keys(process.env).join() || null }))');
  const said = await childProver(undefined, tells)
    .prove(manifest, network, golden)
    .then(
      () => '',
      (error: unknown) => String(error),
    );
  delete process.env['WINDFLEET_SECRET_OF_A_TEST'];
  assert.not.match(said, /SECRET/);
});

proof('a fleet with the same package asks once; a refusal is not remembered', async () => {
  const asked = join(folder, 'asked');
  const counts = processThat('counts', `appendFileSync(${JSON.stringify(asked)}, 'x'); process.stdout.write('{"refusal":null}')`);
  const prover = childProver(undefined, counts);
  await Promise.all([prover.prove(manifest, network, golden), prover.prove(manifest, network, golden)]);
  await prover.prove(manifest, network, golden);
  assert.is(readFileSync(asked, 'utf8'), 'x');

  const doubts = processThat('doubts', `appendFileSync(${JSON.stringify(asked)}, 'y'); process.stdout.write('{"refusal":"no"}')`);
  const doubting = childProver(undefined, doubts);
  assert.match(await refusal(doubting.prove(manifest, network, golden)), /rejected: no$/);
  assert.match(await refusal(doubting.prove(manifest, network, golden)), /rejected: no$/);
  assert.is(readFileSync(asked, 'utf8'), 'xyy');
});

proof.run();
