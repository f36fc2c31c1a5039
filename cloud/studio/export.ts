/** A trained network → what a model package holds: manifest, network, golden samples. Nothing is signed here. */
import type { GoldenSamples, ModelManifest } from '../../actors/contracts/model.ts';
import { exportOnnx } from './onnx.ts';
import { IR, OPSET } from './onnx-graph.ts';
import type { Prepared } from './prepare.ts';
import { type AlarmRate, thresholdsOf, USUAL_ALARM_RATE } from './thresholds.ts';
import { featureErrors, type Trained } from './train.ts';

const GOLDEN = 6;
const TOLERANCE = 1e-4;

export interface ModelArtefacts {
  readonly manifest: ModelManifest;
  readonly network: Uint8Array;
  readonly golden: GoldenSamples;
}

export interface ExportOptions {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  readonly fleet: string;
  readonly lineage: Readonly<Record<string, string | number>>;
  /** What the thresholds are for; absent: the usual. */
  readonly alarmRate?: AlarmRate;
  /** Hex SHA-256. */
  readonly digest: (bytes: Uint8Array) => string;
}

export function exportModel(
  prepared: Prepared,
  trained: Trained,
  { name, version, sequence, fleet, lineage, digest, alarmRate = USUAL_ALARM_RATE }: ExportOptions,
): ModelArtefacts {
  const { signal, heldOut } = prepared;
  const { samples } = signal.window;
  const names = signal.features.map((feature) => feature.name);
  const errors = featureErrors(trained.network, heldOut, samples);
  const thresholds = thresholdsOf(errors, signal, alarmRate);
  const ratios = Float32Array.from(thresholds, ({ mae }) => mae);
  const network = exportOnnx(trained.network, ratios);
  const size = names.length * samples;
  const windows = heldOut.length / size;
  const chosen = Array.from({ length: Math.min(GOLDEN, windows) }, (_, i) => Math.floor((i * windows) / GOLDEN));

  return {
    network,
    golden: {
      windows: chosen.map((w) => Array.from(heldOut.subarray(w * size, (w + 1) * size), short)),
      scores: chosen.map((w) => {
        const window = Float32Array.from(heldOut.subarray(w * size, (w + 1) * size), short);
        return Array.from(featureErrors(trained.network, window, samples), (error, f) => error / ratios[f]);
      }),
    },
    manifest: {
      schema: 'windfleet.model/v1',
      name,
      version,
      sequence,
      expires: null,
      fleet,
      machine: prepared.machine,
      target: 'any',
      network: { file: 'compiled.onnx', sha256: digest(network), input: [-1, ...trained.network.input], opset: OPSET, ir: IR },
      signal,
      thresholds,
      persistence: alarmRate.persistence,
      golden: { file: 'golden.json', tolerance: TOLERANCE },
      lineage: {
        ...lineage,
        falseAlarmsPerTurbineWeek: alarmRate.alarmsPerWeek,
        source: prepared.source,
        ...prepared.origin,
        trainingWindows: prepared.training.length / size,
        heldOutWindows: windows,
        epochs: trained.history.length,
        heldOutLoss: Math.min(...trained.history.map((epoch) => epoch.heldOutLoss)),
      },
    },
  };
}

/** A golden value is kept with five digits: what is stored is what is asked. */
const short = (x: number) => Number(x.toPrecision(5));
