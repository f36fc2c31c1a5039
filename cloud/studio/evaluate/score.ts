/**
 * One seed: its fleet is played group by group, and every window that the model's package cuts is scored by the model and by each control.
 *
 * Samples go through the package's signal pipeline as they do on a device; a rotor that stands still breaks its row and is not judged.
 */
import { Quality } from '../../../actors/contracts/backing.ts';
import type { Channel } from '../../../actors/contracts/channels.ts';
import { ModelRejected } from '../../../actors/contracts/errors.ts';
import type { Inference } from '../../../actors/contracts/inference.ts';
import type { ModelManifest } from '../../../actors/contracts/model.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import { openWindowSource } from '../../../actors/signal/source.ts';
import type { AnnounceRule, ControlKind, PlayedTick } from './detector.ts';
import type { LabelledFleet, LabelledGroup } from './fleet.ts';

/** What plays the turbines of a group. */
export interface Recorder {
  readonly channels: readonly Channel[];
  /** Every tick of a group from its first to its end, its schedule included. */
  play(fleet: LabelledFleet, group: LabelledGroup): Iterable<PlayedTick>;
}

export const Label = { normal: 0, faulty: 1, straddling: 2 } as const;

/** Every judged window of a seed, group by group, in the order of time within a turbine. Plain columns: they cross a worker's border. */
export interface ScoredWindows {
  readonly seed: number;
  /** [windows], index among the fleet's turbines, group after group. */
  readonly turbine: Uint16Array;
  /** [windows], of the last sample. */
  readonly endMs: Uint32Array;
  /** [windows], `Label`. */
  readonly label: Uint8Array;
  /** [windows], mean of the true wind. */
  readonly windMps: Float32Array;
  /** The model's first, then the controls'. */
  readonly detectors: readonly DetectorScores[];
}

export interface DetectorScores {
  readonly name: string;
  /** Null in the rest when it cannot work on this machine. */
  readonly works: boolean;
  /** [windows], above 1 is anomalous. */
  readonly score: Float32Array;
  /** [windows], index among the detector's features. */
  readonly worst: Uint8Array;
  /** [windows], 1 when the announced verdict after this window is anomalous. */
  readonly announced: Uint8Array;
}

export interface ScoreTools {
  readonly manifest: ModelManifest;
  readonly inference: Inference;
  readonly recorder: Recorder;
  readonly controls: readonly ControlKind[];
  readonly announceRule: AnnounceRule;
  /** Called now and then with the share of the seed that is done, 0..1. */
  readonly onProgress?: (share: number) => void;
}

const STILL_AFTER_MS = 10_000; // as the data plane has it
const BATCH = 512;

export async function scoreFleet(fleet: LabelledFleet, tools: ScoreTools): Promise<ScoredWindows> {
  const log = createWindowLog(fleet, tools);
  let first = 0;
  for (const group of fleet.groups) {
    await scoreGroup(fleet, group, first, tools, log);
    first += group.turbines.length;
    tools.onProgress?.(first / fleet.groups.reduce((sum, { turbines }) => sum + turbines.length, 0));
  }
  return log.finish();
}

async function scoreGroup(fleet: LabelledFleet, group: LabelledGroup, first: number, tools: ScoreTools, log: WindowLog): Promise<void> {
  const { manifest, inference, recorder, announceRule } = tools;
  const { channels } = recorder;
  const { window, features } = manifest.signal;
  const rows = group.turbines.length;
  const width = channels.length;
  const size = features.length * window.samples;
  const rotor = channels.findIndex(({ role }) => role === 'rotor-speed');
  const source = openWindowSource(manifest.signal, channels, rows);
  const isBroken = new Uint8Array(rows).fill(1); // nothing to break a second time
  const breakRow = (row: number) => {
    if (isBroken[row] === 0) source.break(row);
    isBroken[row] = 1;
  };
  const announce = announceRule(rows, manifest.persistence);
  const controls = tools.controls.map((kind) => ({
    control: kind.open(channels, rows, window.samples, group.name),
    announce: announceRule(rows, kind.persistence ?? manifest.persistence),
  }));
  const lastTurn = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const windSum = new Float64Array(rows);
  const windCount = new Uint32Array(rows);
  const batch = new Float32Array(BATCH * size);
  const scores = new Float32Array(BATCH * features.length);
  const pending: { readonly row: number; readonly window: number }[] = [];

  const flush = async () => {
    await inference.predict(batch, pending.length, scores);
    for (const [i, { row, window: at }] of pending.entries()) {
      let worst = 0;
      for (let f = 0; f < features.length; f++) {
        const score = scores[i * features.length + f];
        if (!Number.isFinite(score))
          throw new ModelRejected(
            inference.model,
            `the score of ${features[f].name} is no finite number on seed ${fleet.seed}, ${group.turbines[row].thing}`,
          );
        if (score > scores[i * features.length + worst]) worst = f;
      }
      const score = scores[i * features.length + worst];
      log.score(at, 0, score, worst, announce(row, score));
    }
    pending.length = 0;
  };

  for (const { now, block, windMps } of recorder.play(fleet, group)) {
    for (let row = 0; row < rows; row++) {
      if (block.quality[row] & Quality.lost) {
        breakRow(row);
        continue;
      }
      const offset = row * width;
      if (block.values[offset + rotor] > 0) lastTurn[row] = now;
      if (block.quality[row] & Quality.stale) continue;
      for (const { control } of controls) control?.push(row, block.values, offset);
      if (now - lastTurn[row] >= STILL_AFTER_MS) {
        breakRow(row);
        continue;
      }
      windSum[row] += windMps[row];
      windCount[row]++;
      isBroken[row] = 0;
      if (!source.push(row, block.values, offset)) continue;
      source.take(row, batch, pending.length * size);
      const { episode } = group.turbines[row];
      const beganMs = now - (window.samples - 1 + source.lag) * (1_000 / manifest.signal.rateHz);
      const label = episode === null || now <= episode.onsetMs ? Label.normal : beganMs > episode.onsetMs ? Label.faulty : Label.straddling;
      const at = log.add(first + row, now, label, windSum[row] / windCount[row]);
      windSum[row] = 0;
      windCount[row] = 0;
      for (const [d, { control, announce: say }] of controls.entries()) {
        if (control === null) continue;
        const { score, worst } = control.score(row);
        log.score(at, d + 1, score, worst, say(row, score));
      }
      pending.push({ row, window: at });
      if (pending.length === BATCH) await flush();
    }
  }
  if (pending.length > 0) await flush();
}

interface WindowLog {
  /** @returns the window's number. */
  add(turbine: number, endMs: Millis, label: number, windMps: number): number;
  score(window: number, detector: number, score: number, worst: number, announced: boolean): void;
  finish(): ScoredWindows;
}

function createWindowLog(fleet: LabelledFleet, { manifest, controls, recorder }: ScoreTools): WindowLog {
  const { window, rateHz } = manifest.signal;
  const turbines = fleet.groups.reduce((sum, group) => sum + group.turbines.length, 0);
  const most = turbines * Math.ceil((fleet.durationMs / 1_000) * (rateHz / window.hop));
  const turbine = new Uint16Array(most);
  const endMs = new Uint32Array(most);
  const labels = new Uint8Array(most);
  const wind = new Float32Array(most);
  const works = [true, ...controls.map((kind) => kind.open(recorder.channels, 1, window.samples, '') !== null)];
  const detectors = works.map(() => ({ score: new Float32Array(most), worst: new Uint8Array(most), announced: new Uint8Array(most) }));
  let windows = 0;
  return {
    add(index, now, label, windMps) {
      turbine[windows] = index;
      endMs[windows] = now;
      labels[windows] = label;
      wind[windows] = windMps;
      return windows++;
    },
    score(at, detector, score, worst, announced) {
      detectors[detector].score[at] = score;
      detectors[detector].worst[at] = worst;
      detectors[detector].announced[at] = announced ? 1 : 0;
    },
    finish: () => ({
      seed: fleet.seed,
      turbine: turbine.slice(0, windows),
      endMs: endMs.slice(0, windows),
      label: labels.slice(0, windows),
      windMps: wind.slice(0, windows),
      detectors: detectors.map(({ score, worst, announced }, d) => ({
        name: d === 0 ? 'model' : controls[d - 1].name,
        works: works[d],
        score: score.slice(0, windows),
        worst: worst.slice(0, windows),
        announced: announced.slice(0, windows),
      })),
    }),
  };
}
