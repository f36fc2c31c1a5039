/**
 * What the cloud makes of a device of the original: it says nothing of its state or its verdicts, only its readings, and what it
 * captures of its inferences. Both become what every other turbine reports.
 *
 * Scores are errors over the thresholds that the original ships; what is anomalous is the device's own word.
 */
import { deskTurbine } from '../actors/contracts/channels.ts';
import type { TurbineView } from '../actors/contracts/fleet-view.ts';
import type { IndexedDocument } from '../actors/contracts/index.ts';
import type { VerdictReport } from '../actors/contracts/telemetry.ts';
import type { Millis } from '../actors/contracts/units.ts';
import { originalThresholds } from './studio/original.ts';

/** The `backing` of such a turbine. */
export const ORIGINAL_BACKING = 'original';

const THRESHOLDS: ReadonlyMap<string, number> = new Map(originalThresholds.map(({ feature, mae }) => [feature, mae]));
const FRESH_MS = 60_000; // how long a turbine counts as inferring after its last capture

/** A capture as a verdict; null for one of nothing. Announced is what is anomalous twice in a row, since these devices wait for nothing. @param before the turbine's last one */
export function verdictOf(capture: IndexedDocument, before: VerdictReport | null): VerdictReport | null {
  const scores = scoresOf(capture);
  if (scores.length === 0) return null;
  const found = scores.filter(({ anomalous }) => anomalous);
  const worst = (found.length > 0 ? found : scores).reduce((a, b) => (b.score > a.score ? b : a));
  const anomalous = found.length > 0;
  return {
    at: capture.at,
    model: String(capture['model']),
    anomalous,
    announced: anomalous === before?.anomalous ? anomalous : (before?.announced ?? false),
    score: worst.score,
    worst: worst.feature,
    scores: Object.fromEntries(scores.map(({ feature, score }) => [feature, score])),
  };
}

/** A capture as documents of the index `verdicts`, one a feature; their ids follow from the capture's. */
export const verdictDocuments = (capture: IndexedDocument): readonly IndexedDocument[] =>
  scoresOf(capture).map(({ feature, score, anomalous }) => ({
    id: `${capture.id}:${feature}`,
    at: capture.at,
    thing: capture.thing,
    feature,
    score,
    anomalous,
    announced: anomalous,
    model: String(capture['model']),
  }));

function scoresOf(capture: IndexedDocument): readonly { readonly feature: string; readonly score: number; readonly anomalous: boolean }[] {
  return Object.entries(capture).flatMap(([field, error]) => {
    const [, feature] = /^mean_pred_(.+)$/.exec(field) ?? [];
    if (feature === undefined || typeof error !== 'number') return [];
    return [{ feature, score: error / (THRESHOLDS.get(feature) ?? 1), anomalous: Number(capture[`anomaly_${feature}`]) > 0 }];
  });
}

export const capturedFacts = (verdict: VerdictReport, { updatedAt }: Pick<TurbineView, 'updatedAt'>): Partial<TurbineView> => ({
  ...WHO,
  state: verdict.announced ? 'inferring.suspect' : 'inferring.healthy',
  cause: 'capture',
  model: verdict.model,
  verdict,
  updatedAt: Math.max(updatedAt, verdict.at),
});

/** @param at of the reading. @param data its twenty texts; null when they are not the desk turbine's */
export function loggedFacts(turbine: TurbineView | null, at: Millis, data: readonly string[]): Partial<TurbineView> | null {
  if (data.length !== deskTurbine.channels.length) return null;
  const channels = Object.fromEntries(
    deskTurbine.channels.flatMap(({ name }, i) => (data[i] !== '' && Number.isFinite(Number(data[i])) ? [[name, Number(data[i])]] : [])),
  );
  const isInferring = at - (turbine?.verdict?.at ?? -Infinity) < FRESH_MS;
  const state = (channels['rps'] ?? 0) > 0 ? 'spinning' : 'idle';
  return { ...WHO, ...(isInferring ? {} : { state, cause: 'readings' }), channels, updatedAt: Math.max(turbine?.updatedAt ?? 0, at) };
}

const WHO = { machine: deskTurbine.name, backing: ORIGINAL_BACKING };
