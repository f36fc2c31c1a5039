/** Adam (Kingma & Ba 2015) with the defaults β₁ = 0.9, β₂ = 0.999, ε = 1e-8. */
import type { Network, Workspace } from './network.ts';

export interface Adam {
  /** Moves the network along the workspace's gradients. */
  step(learningRate: number): void;
}

export function createAdam(network: Network, workspace: Workspace): Adam {
  const parameters = network.layers.flatMap(({ weights, bias }, l) => [
    { values: weights, gradient: workspace.gradients[l].weights },
    { values: bias, gradient: workspace.gradients[l].bias },
  ]);
  const moments = parameters.map(({ values }) => ({ m: new Float32Array(values.length), v: new Float32Array(values.length) }));
  let steps = 0;

  return {
    step(learningRate) {
      steps++;
      const rate = (learningRate * Math.sqrt(1 - 0.999 ** steps)) / (1 - 0.9 ** steps);
      for (const [p, { values, gradient }] of parameters.entries()) {
        const { m, v } = moments[p];
        for (let i = 0; i < values.length; i++) {
          const g = gradient[i];
          m[i] = 0.9 * m[i] + 0.1 * g;
          v[i] = 0.999 * v[i] + 0.001 * g * g;
          values[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + 1e-8);
        }
      }
    },
  };
}
