/** Whether a model that is loaded says what its package was signed with. */
import type { Inference } from '../../../actors/contracts/inference.ts';
import type { GoldenSamples } from '../../../actors/contracts/model.ts';

/** Null when it answers as it should; what it says otherwise. */
export async function wrongAnswer(inference: Inference, { windows, scores }: GoldenSamples): Promise<string | null> {
  const said = new Float32Array(windows.length * scores[0].length);
  await inference.predict(Float32Array.from(windows.flat()), windows.length, said);
  const isFar = scores.flat().some((score, i) => !(Math.abs(said[i] - score) <= 1e-3));
  return isFar ? `says ${[...said].join()}, not ${scores.flat().join()}` : null;
}
