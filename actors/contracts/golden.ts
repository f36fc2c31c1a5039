/** The golden samples of a package: what any engine must answer before its model may judge. */
import { FleetError, ModelRejected, reasonOf } from './errors.ts';
import type { Inference } from './inference.ts';
import type { GoldenSamples, ModelManifest } from './model.ts';

/** Asks the model its golden samples. @throws ModelRejected naming the first answer that is off. */
export async function answerGolden(inference: Inference, manifest: ModelManifest, golden: GoldenSamples): Promise<void> {
  const features = manifest.signal.features.length;
  const size = features * manifest.signal.window.samples;
  const input = manifest.network.input.slice(1).reduce((product, n) => product * n, 1);
  if (input !== size)
    throw new ModelRejected(
      inference.model,
      `its input [${manifest.network.input.join(', ')}] does not hold ${features} features × ${manifest.signal.window.samples} samples`,
      undefined,
      'network.shape',
    );
  if (golden.windows.length === 0 || golden.windows.length !== golden.scores.length)
    throw new ModelRejected(inference.model, 'it has no golden samples to be tried on', undefined, 'golden.malformed');
  for (const [i, window] of golden.windows.entries())
    if (window.length !== size || golden.scores[i].length !== features)
      throw new ModelRejected(
        inference.model,
        `golden sample ${i} is not ${features} × ${manifest.signal.window.samples}`,
        undefined,
        'golden.malformed',
      );

  const scores = new Float32Array(golden.windows.length * features);
  await inference.predict(Float32Array.from(golden.windows.flat()), golden.windows.length, scores).catch((error: unknown) => {
    if (error instanceof FleetError) throw error;
    throw new ModelRejected(inference.model, `it cannot answer: ${firstLine(reasonOf(error))}`, error, 'network.load');
  });
  const wanted = golden.scores.flat();
  for (const [i, score] of scores.entries()) {
    if (Math.abs(score - wanted[i]) <= manifest.golden.tolerance * Math.max(1, Math.abs(wanted[i]))) continue; // NaN fails too
    const feature = manifest.signal.features[i % features].name;
    throw new ModelRejected(
      inference.model,
      `golden sample ${Math.floor(i / features)}, ${feature}: ${score}, not ${wanted[i]} ± ${manifest.golden.tolerance}`,
      undefined,
      'golden.wrong',
    );
  }
}

const firstLine = (text: string) => text.split('\n')[0].slice(0, 300);
