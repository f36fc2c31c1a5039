/**
 * Trains the starter models of the source tree: `npm run build && node dist/test/kit/train-starter.js [name@version …]`.
 *
 * Healthy twins in many winds; seeds that no test, no evaluation and no default farm uses. One turbine in four is held out.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportModel } from '../../cloud/studio/export.ts';
import { type Prepared, streamPasses } from '../../cloud/studio/prepare.ts';
import { type AlarmRate, USUAL_ALARM_RATE } from '../../cloud/studio/thresholds.ts';
import { trainNetwork } from '../../cloud/studio/train.ts';
import { threadCrew } from '../../cloud/studio/train-threads.ts';
import { memoryStore } from '../../cloud/studio/windows.ts';
import { twinBacking } from '../../twins/backing.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { createRng } from '../../twins/rng.ts';
import { type HealthySpec, healthyThings, hearHealthy } from './healthy-fleet.ts';
import { packageRoot } from './package-root.ts';

const desk = {
  machine: machineNamed('desk-turbine'),
  turbines: 80,
  minutes: 60,
  meanMps: [1, 2.5],
  turbulenceIntensity: [0.06, 0.26],
  derated: [0.5, 0.5],
} as const;
const utility = {
  machine: machineNamed('nrel-5mw'),
  turbines: 64,
  minutes: 150,
  meanMps: [4, 20],
  turbulenceIntensity: [0.05, 0.2],
  derated: [0.3, 0.9],
} as const;
/** Heat and wind change so slowly that hours of turbines hold few independent ones: a tail fitted to them is too short for a year. */
const cautious = { persistence: 2, alarmsPerWeek: 0.01 };

const starters: readonly {
  name: string;
  version: string;
  sequence: number;
  fleet: HealthySpec;
  hidden: number[];
  epochs: number;
  alarmRate?: AlarmRate;
}[] = [
  { name: 'windturbine-anomaly', version: '1.0.0', sequence: 1, fleet: { ...desk, seed: 9_000_000 }, hidden: [16, 2, 16], epochs: 6 },
  { name: 'windturbine-anomaly', version: '1.1.0', sequence: 2, fleet: { ...desk, seed: 9_100_000 }, hidden: [24, 2, 24], epochs: 6 },
  {
    name: 'nrel-5mw-anomaly',
    version: '1.0.0',
    sequence: 1,
    fleet: { ...utility, seed: 9_200_000 },
    hidden: [16, 3, 16],
    epochs: 6,
    alarmRate: cautious,
  },
];

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function prepareHealthy(fleet: HealthySpec): Prepared {
  const { channels } = twinBacking({ things: [], rng: createRng(0), machine: fleet.machine, wind: { meanMps: 1, turbulenceIntensity: 0 } });
  const stores = { training: memoryStore(), heldOut: memoryStore() };
  const taking = (store: ReturnType<typeof memoryStore>) => ({
    offered: 0,
    offer(window: Float32Array) {
      store.put(this.offered++, window);
    },
  });
  const passes = streamPasses({
    file: 'the healthy fleet',
    machine: fleet.machine.name,
    channels,
    things: healthyThings(fleet),
    faults: [],
    holdOut: 'turbine',
    windows: { training: taking(stores.training), heldOut: taking(stores.heldOut) },
  });
  let pass = passes.next();
  while (!pass.done) {
    hearHealthy(fleet, pass.value);
    pass = passes.next();
  }
  const source = digest(Buffer.from(JSON.stringify(fleet)));
  return { machine: fleet.machine.name, signal: pass.value.signal, training: stores.training.all(), heldOut: stores.heldOut.all(), source };
}

const wanted = process.argv.slice(2);
for (const { name, version, sequence, fleet, hidden, epochs, alarmRate = USUAL_ALARM_RATE } of starters) {
  const id = `${name}@${version}`;
  if (wanted.length > 0 && !wanted.includes(id)) continue;
  const prepared = prepareHealthy(fleet);
  const trained = await trainNetwork(prepared, {
    rng: createRng(fleet.seed).fork('training'),
    epochs,
    hidden,
    openCrew: threadCrew(2),
    onEpoch: ({ epoch, trainingLoss, heldOutLoss }) =>
      console.log(`${id} epoch ${epoch}: ${trainingLoss.toFixed(4)} held out ${heldOutLoss.toFixed(4)}`),
  });
  const { seed, turbines, minutes } = fleet;
  const { manifest, network, golden } = exportModel(prepared, trained, {
    name,
    version,
    sequence,
    fleet: 'windturbine-farm',
    lineage: { command: 'node dist/test/kit/train-starter.js', seed, turbines, minutes, hidden: hidden.join('-') },
    alarmRate,
    digest,
  });
  const folder = join(packageRoot(), 'cloud/models/starter', `${name}-${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'compiled.onnx'), network);
  writeFileSync(join(folder, 'golden.json'), `${JSON.stringify(golden)}\n`);
  console.log(id, manifest.lineage, manifest.thresholds);
}
