import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelRejected, RemoteRefused } from '../../actors/contracts/errors.ts';
import type { Engine } from '../../actors/contracts/inference.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { sharedEngine } from '../../actors/inference/shared.ts';
import { openModel, packModel } from '../../actors/package/package.ts';
import { agentEngine } from '../../physical/agent/client.ts';
import { openAgent } from '../../physical/agent/server.ts';
import { startTestAgent } from '../kit/agent.ts';
import { removeFolder } from '../kit/farm-process.ts';
import { memoryWorld } from '../kit/memory-world.ts';
import { starter } from '../kit/packages.ts';

const inference = suite('engines: ONNX Runtime here, and an edge agent');

const { manifest, network, golden } = starter();
const features = manifest.signal.features.length;
const size = features * manifest.signal.window.samples;

/** @param batch windows that all differ */
const windowsOf = (batch: number) => Float32Array.from({ length: batch * size }, (_, i) => Math.sin(i * 0.37) + (i % 11) / 20);

let test: Awaited<ReturnType<typeof startTestAgent>>;
let files: ReadonlyMap<string, Uint8Array>;
inference.before(async () => {
  test = await startTestAgent();
  const { bytes } = packModel({ manifest, network, golden }, test.key.privateKey);
  ({ files } = openModel(bytes, { trustedKeys: [test.key.publicKey] }));
});
inference.after(async () => {
  test.close();
  await test.agent.close();
  removeFolder(test.folder);
});

const engines: [string, () => Engine][] = [
  ['onnx', () => onnxEngine()],
  ['agent', () => agentEngine(test.agent.socket, Date.now)],
];

for (const [kind, engine] of engines) {
  inference(`${kind}: loads a package that answers its golden samples, and says its name`, async () => {
    const loaded = await engine().load(manifest, network, golden, files);
    assert.is(loaded.model, 'windturbine-anomaly@1.1.0');
    await loaded.close();
  });

  inference(`${kind}: the scores are those of the other engine`, async () => {
    const windows = windowsOf(5);
    const scores = new Float32Array(5 * features);
    const reference = new Float32Array(5 * features);

    const loaded = await engine().load(manifest, network, golden, files);
    await loaded.predict(windows, 5, scores);
    const here = await onnxEngine().load(manifest, network, golden);
    await here.predict(windows, 5, reference);

    for (const [i, score] of scores.entries())
      assert.ok(Math.abs(score - reference[i]) <= 1e-6 * Math.max(1, reference[i]), `${i}: ${score}, not ${reference[i]}`);
    assert.ok(new Set(scores).size > features, 'windows that differ have scores that differ');
    await here.close();
    await loaded.close();
  });

  inference(`${kind}: a window's scores do not depend on the batch it rides in`, async () => {
    const loaded = await engine().load(manifest, network, golden, files);
    const windows = windowsOf(70);
    const together = new Float32Array(70 * features);
    await loaded.predict(windows, 70, together);

    for (const i of [0, 3, 63, 64, 69]) {
      const alone = new Float32Array(features);
      await loaded.predict(windows.slice(i * size, (i + 1) * size), 1, alone);
      assert.equal([...alone], [...together.subarray(i * features, (i + 1) * features)]);
    }
    await loaded.close();
  });

  inference(`${kind}: a wrong answer to a golden sample refuses the model`, async () => {
    const wrong = { ...golden, scores: golden.scores.map((row, i) => row.map((score, f) => (i === 1 && f === 2 ? score + 1 : score))) };
    const { bytes } = packModel({ manifest, network, golden: wrong }, test.key.privateKey);
    const signed = openModel(bytes, { trustedKeys: [test.key.publicKey] }).files;
    await engine()
      .load(manifest, network, wrong, signed)
      .then(
        () => assert.unreachable(),
        (error: unknown) => {
          assert.instance(error, ModelRejected);
          assert.match(String(error), /golden sample 1, wind_speed_rps/);
        },
      );
  });

  inference(`${kind}: bytes that are no network refuse the model`, async () => {
    const noise = new Uint8Array(500).fill(7);
    await engine()
      .load(manifest, noise, golden)
      .then(
        () => assert.unreachable(),
        (error: unknown) => assert.instance(error, ModelRejected),
      );
  });

  inference(`${kind}: closes once, however often it is told`, async () => {
    const loaded = await sharedEngine(engine()).load(manifest, network, golden, files);
    await loaded.close();
    await loaded.close();
  });
}

inference('agent: an unsigned package is refused with the mend', async () => {
  await agentEngine(test.agent.socket, Date.now)
    .load(manifest, network, golden)
    .then(
      () => assert.unreachable(),
      (error: unknown) => assert.match(String(error), /unsigned; start the agent with --allow-unsigned/),
    );
});

inference('agent: nobody there is told apart from a refusal, with the mend', async () => {
  await agentEngine('/tmp/windfleet-no-agent', Date.now)
    .load(manifest, network, golden)
    .then(
      () => assert.unreachable(),
      (error: unknown) => {
        assert.instance(error, RemoteRefused);
        assert.match(String((error as RemoteRefused).hint), /windfleet agent --socket \/tmp\/windfleet-no-agent/);
      },
    );
});

inference('agent: one that was started anew is given its models again', async () => {
  const { agent, options, close, folder, key } = await startTestAgent();
  const { bytes } = packModel({ manifest, network, golden }, key.privateKey);
  const signed = openModel(bytes, { trustedKeys: [key.publicKey] }).files;
  const loaded = await agentEngine(agent.socket, Date.now).load(manifest, network, golden, signed);
  const scores = new Float32Array(features);

  await agent.close();
  await loaded.predict(windowsOf(1), 1, scores).then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, RemoteRefused),
  );
  const pending = loaded.predict(windowsOf(3), 3, new Float32Array(3 * features));
  const heir = await openAgent(options);
  await pending;
  await loaded.predict(windowsOf(1), 1, scores);

  assert.ok(scores.every((score) => score > 0));
  await loaded.close();
  assert.equal(heir.models(), [], 'what it loaded it unloads');
  close();
  await heir.close();
  removeFolder(folder);
});

inference('a farm over an agent is the farm in this process, verdict for verdict', async () => {
  const { agent, key, close, folder } = await startTestAgent();
  const digests: string[] = [];
  for (const choice of [{ kind: 'onnx' }, { kind: 'agent', socket: agent.socket }] as const) {
    const world = await memoryWorld({ seed: 3, twins: 2, inference: choice, key });
    world.faults.inject('T-001', { fault: 'bearing-wear', severity: 0.8, over: 0 });
    await world.clock.run(60_000);
    digests.push(world.events.digest());
    assert.ok(world.fleet.windows() > 10);
    assert.ok(world.events.count('verdict') > 0);
    await world.close();
  }
  assert.is(digests[0], digests[1]);
  assert.ok(agent.counts().predictions > 20);
  close();
  await agent.close();
  removeFolder(folder);
});

inference.run();
