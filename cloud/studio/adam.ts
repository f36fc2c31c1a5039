/** Adam (Kingma & Ba 2015) with the defaults β₁ = 0.9, β₂ = 0.999, ε = 1e-8, over arrays of parameters. */

export interface Moving {
  /** [parameters] */
  readonly parameters: Float32Array;
  /** [slices × parameters]: a mini-batch's gradients in parts, summed here in their order. */
  readonly gradients: Float32Array;
  /** [parameters] */
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Moves the parameters [first, last). @param slices parts of the gradient that count. @param step from 1 on */
export function adamStep(
  { parameters, gradients, m, v }: Moving,
  first: number,
  last: number,
  slices: number,
  step: number,
  learningRate: number,
): void {
  const count = parameters.length;
  const rate = (learningRate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
  for (let i = first; i < last; i++) {
    let g = 0;
    for (let s = 0, at = i; s < slices; s++, at += count) g += gradients[at];
    m[i] = 0.9 * m[i] + 0.1 * g;
    v[i] = 0.999 * v[i] + 0.001 * g * g;
    parameters[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + 1e-8);
  }
}
