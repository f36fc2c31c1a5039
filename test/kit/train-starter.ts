/**
 * Trains the two starter models of the source tree: `npm run build && node dist/test/kit/train-starter.js`.
 *
 * Healthy twins in many winds, some of the time derated; seeds that no test and no default farm uses.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedTurbine } from '../../actors/contracts/recording.ts';
import { exportModel } from '../../cloud/studio/export.ts';
import { type Prepared, prepare } from '../../cloud/studio/prepare.ts';
import { trainNetwork } from '../../cloud/studio/train.ts';
import { twinBacking } from '../../twins/backing.ts';
import { recordTwins } from '../../twins/record.ts';
import { createRng } from '../../twins/rng.ts';
import { packageRoot } from './package-root.ts';

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const starters = [
  { version: '1.0.0', sequence: 1, seed: 9_001, turbines: 60, minutes: 30, hidden: [40, 10, 40], epochs: 20 },
  { version: '1.1.0', sequence: 2, seed: 9_101, turbines: 80, minutes: 30, hidden: [48, 12, 48], epochs: 20 },
];

/** Each turbine has a wind of its own, 1.2 to 2.1 m/s with a turbulence intensity of 0.1 to 0.24, and is derated for a while now and then. */
function recordHealthy(seed: number, turbines: number, minutes: number): RecordedTurbine[] {
  const rng = createRng(seed).fork('winds');
  return Array.from({ length: turbines }, (_, i) => {
    const wind = { meanMps: 1.2 + 0.9 * rng.uniform(2 * i), turbulenceIntensity: 0.1 + 0.14 * rng.uniform(2 * i + 1) };
    const backing = twinBacking({ things: [`H-${seed}-${i}`], rng: createRng(seed + i), wind });
    const chance = createRng(seed + i).fork('derate');
    const before = (now: number) => {
      if (now % 60_000 === 0) backing.command(0, { type: 'derate', fraction: chance.uniform(now) < 0.25 ? 0.5 : 1 });
    };
    return recordTwins(backing, { forMs: minutes * 60_000, epoch: 0, before }).turbines[0];
  });
}

for (const { version, sequence, seed, turbines, minutes, hidden, epochs } of starters) {
  const recorded = recordHealthy(seed, turbines, minutes);
  const source = digest(Buffer.concat(recorded.map(({ values }) => Buffer.from(values.buffer))));
  const { channels } = twinBacking({ things: [], rng: createRng(0), wind: { meanMps: 1, turbulenceIntensity: 0 } });
  const prepared: Prepared = prepare({ channels, turbines: recorded }, 'desk-turbine', source);
  const trained = await trainNetwork(prepared, {
    rng: createRng(seed).fork('training'),
    epochs,
    hidden,
    onEpoch: ({ epoch, trainingLoss, heldOutLoss }) =>
      console.log(`${version} epoch ${epoch}: ${trainingLoss.toFixed(4)} held out ${heldOutLoss.toFixed(4)}`),
  });
  const lineage = { command: 'node dist/test/kit/train-starter.js', seed, turbines, minutes, hidden: hidden.join('-') };
  const { manifest, network, golden } = exportModel(prepared, trained, {
    name: 'windturbine-anomaly',
    version,
    sequence,
    fleet: 'windturbine-farm',
    lineage,
    digest,
  });
  const folder = join(packageRoot(), 'cloud/models/starter', `windturbine-anomaly-${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'compiled.onnx'), network);
  writeFileSync(join(folder, 'golden.json'), `${JSON.stringify(golden)}\n`);
  console.log(version, manifest.lineage, manifest.thresholds);
}
