/**
 * A canary in the wind: both models judge twins with the known faults of the machine's catalogue, before a real turbine takes the new one.
 * A model that finds nothing any more is found here and nowhere else: on healthy turbines it looks like the best of all.
 */
import type { KeyObject } from 'node:crypto';
import type { BenchResult } from '../actors/contracts/deployments.ts';
import { ConfigInvalid, ModelRejected, NotFound, VerificationRefused } from '../actors/contracts/errors.ts';
import type { BenchTrial } from '../actors/contracts/evidence.ts';
import type { Engine, Inference } from '../actors/contracts/inference.ts';
import type { ModelId } from '../actors/contracts/ids.ts';
import { onnxEngine } from '../actors/inference/onnx.ts';
import { sha256Hex } from '../actors/package/digest.ts';
import { openModel } from '../actors/package/package.ts';
import { announceRule } from '../cloud/cli/evaluate/announce.ts';
import { evaluatedMachine, twinRecorder } from '../cloud/cli/evaluate/play.ts';
import type { LabelledFleet } from '../cloud/studio/evaluate/fleet.ts';
import { NORMAL_FAULTS } from '../cloud/studio/evaluate/protocol.ts';
import { Label, scoreFleet } from '../cloud/studio/evaluate/score.ts';
import { machineNamed } from '../twins/library/machines.ts';

const ONSET_MS = 60_000;
const DURATION_MS = 180_000;
const SEED = 500; // of the twins' wind; seeds from 1 000 on are for evaluations
const WIND = { 'fixed-pitch': { meanMps: 1.6, turbulenceIntensity: 0.18 }, 'variable-speed': { meanMps: 10, turbulenceIntensity: 0.1 } };

/** What packages have found, by machine and digest: the same twins in the same wind, whoever asks. */
export type KnownTrials = Map<string, Promise<ReadonlySet<number>>>;

export interface TwinTrialTools {
  readonly engine: Engine;
  readonly known: KnownTrials;
}

/** @param read the package of a published model */
export function twinTrial(
  read: (model: ModelId) => Promise<Uint8Array>,
  trustedKeys: readonly KeyObject[],
  { engine, known }: TwinTrialTools = { engine: onnxEngine({ arch: process.arch }), known: new Map() },
): BenchTrial {
  const foundBy = (fleet: LabelledFleet, bytes: Uint8Array) => {
    const key = `${fleet.machine} ${sha256Hex(bytes)}`;
    const result = known.get(key) ?? found(fleet, bytes, trustedKeys, engine);
    known.set(key, result);
    result.catch(() => known.delete(key)); // a machine short of memory may have more next time
    return result;
  };
  return {
    async compare(machine, oldModel, newModel): Promise<BenchResult | null> {
      const fleet = faultyFleet(machine);
      if (fleet === null) return null;
      const faults = fleet.groups[0].turbines.map(({ episode }) => episode!.fault);
      const oldBytes = await ifPublished(read(oldModel));
      if (oldBytes === null) return null; // it came from elsewhere: there is nothing to compare with
      const [old, young] = [await foundBy(fleet, oldBytes), await foundBy(fleet, await read(newModel))];
      return {
        faults: faults.length,
        oldRecall: old.size / faults.length,
        newRecall: young.size / faults.length,
        missed: faults.filter((_, i) => old.has(i) && !young.has(i)),
      };
    },
  };
}

async function ifPublished(bytes: Promise<Uint8Array>): Promise<Uint8Array | null> {
  try {
    return await bytes;
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}

/** A turbine for each fault, at full severity; null for a machine that is not in the library. */
function faultyFleet(machine: string): LabelledFleet | null {
  let kind: keyof typeof WIND;
  try {
    kind = machineNamed(machine).kind;
  } catch (error) {
    if (error instanceof ConfigInvalid) return null; // a recording's machine, or somebody's own
    throw error;
  }
  const faults = evaluatedMachine(machine).catalogue.filter(({ name }) => !NORMAL_FAULTS.includes(name) && !name.startsWith('sensor-'));
  const episode = (fault: string) => ({ fault, severity: 1, channel: null, onsetMs: ONSET_MS, overMs: 0 });
  return {
    seed: SEED,
    machine,
    durationMs: DURATION_MS,
    groups: [
      {
        name: 'known faults',
        kind: 'steady',
        wind: { ...WIND[kind], events: [] },
        turbines: faults.map(({ name }, i) => ({ thing: `F-${i + 1}`, habit: 'plain', episode: episode(name) })),
        schedule: faults.map(({ name }, row) => ({
          at: ONSET_MS,
          row,
          do: 'fault',
          order: { fault: name, severity: 1, over: 0 },
        })),
      },
    ],
  };
}

/** Indices of the turbines whose fault a model announces. One that does not answer, or that no turbine would take, announces nothing. */
async function found(
  fleet: LabelledFleet,
  bytes: Uint8Array,
  trustedKeys: readonly KeyObject[],
  engine: Engine,
): Promise<ReadonlySet<number>> {
  let inference: Inference | null = null;
  try {
    const { manifest, network, golden } = openModel(bytes, { trustedKeys });
    if (manifest.machine !== fleet.machine) return new Set();
    inference = await engine.load(manifest, network, golden);
    const tools = { manifest, inference, recorder: twinRecorder(fleet.machine), controls: [], announceRule };
    const { turbine, label, detectors } = await scoreFleet(fleet, tools);
    const [{ announced }] = detectors;
    return new Set([...turbine].filter((_, w) => label[w] === Label.faulty && announced[w] === 1));
  } catch (error) {
    if (error instanceof ModelRejected || error instanceof VerificationRefused) return new Set();
    throw error;
  } finally {
    await inference?.close();
  }
}
