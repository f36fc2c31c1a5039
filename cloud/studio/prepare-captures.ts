/**
 * Inputs that a device's agent captured → windows: they are what the model saw, normalised by its own statistics, so its manifest (or,
 * of the original's network, its arrays) says what they are.
 */
import { FileInvalid, UsageError } from '../../actors/contracts/errors.ts';
import type { SignalSpec } from '../../actors/contracts/model.ts';
import { refuseTooFew, type WindowTakers } from './prepare.ts';
import type { CaptureSource } from './read-json-lines.ts';

export interface CapturedWindows {
  readonly signal: SignalSpec;
  readonly model: string;
  readonly things: readonly string[];
}

const MOST_FEATURES = 64; // one row of no more values than that: a value a feature, and no window
const TRAINS = 0.75;

/**
 * The first three quarters of a turbine's captures train. It reads twice.
 *
 * @param signal of the model that was served; null: nobody said
 * @throws FileInvalid when the inputs are no windows of that model, or of several models
 */
export async function prepareCaptures(
  file: string,
  captures: CaptureSource,
  signal: SignalSpec | null,
  windows: WindowTakers,
): Promise<CapturedWindows> {
  const times = new Map<string, number[]>();
  const models = new Map<string, number>();
  const shapes = new Map<string, number>();
  await captures.read(({ thing, model, at, shape, values }) => {
    models.set(model, (models.get(model) ?? 0) + 1);
    if (signal === null || !isWindowOf(signal, shape, values.length))
      shapes.set(shape.join(' × '), (shapes.get(shape.join(' × ')) ?? 0) + 1);
    times.set(thing, [...(times.get(thing) ?? []), at]);
  });
  const seen = [...shapes].map(([shape, count]) => `${count} of ${shape}`).join(', ');
  const features = [...shapes.keys()].map(Number);
  if (features.length > 0 && features.every((count) => count <= MOST_FEATURES))
    throw new FileInvalid(
      `${file} holds the mean errors of ${features.join(' or ')} features, as the original captures them, and not what its model saw: nothing can be learned from it`,
      { hint: 'record the turbine itself: its serial line, or its log messages at the full rate' },
    );
  if (signal === null)
    throw new UsageError(`${file} holds inputs (${seen}) that are normalised by their model: say which it was`, {
      hint: '--signal manifest.json of its package; or --pipeline seed-db6 for the original’s network with its own statistics',
    });
  if (shapes.size > 0)
    throw new FileInvalid(
      `${file} holds inputs of other shapes than the model’s window of ${signal.features.length} × ${signal.window.samples}: ${seen}`,
      { hint: 'name the manifest of the model that was captured with --signal' },
    );
  if (models.size > 1)
    throw new FileInvalid(
      `${file} holds captures of several models: ${[...models].map(([model, count]) => `${count} of ${model}`).join(', ')}`,
      {
        hint: 'their windows were made with other statistics: prepare each model’s captures alone',
      },
    );

  const windowMs = (signal.window.samples * 1_000) / signal.rateHz;
  const splitAt = new Map([...times].map(([thing, at]) => [thing, at.toSorted((a, b) => a - b)[Math.floor(TRAINS * at.length)]]));
  await captures.read(({ thing, at, values }) => {
    const border = splitAt.get(thing) ?? 0;
    if (at >= border) windows.heldOut.offer(values);
    else if (at < border - windowMs) windows.training.offer(values); // what overlaps the other part is in none
  });
  refuseTooFew(file, windows, signal.window.samples);
  return { signal, model: [...models.keys()][0], things: [...times.keys()] };
}

/** With a batch of one or without; flat, or with the features first. */
function isWindowOf({ features, window }: SignalSpec, shape: readonly number[], length: number): boolean {
  const sides = shape[0] === 1 ? shape.slice(1) : shape;
  return length === features.length * window.samples && (sides.length === 1 || sides[0] === features.length);
}
