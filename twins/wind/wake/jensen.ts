/** Jensen's wake: a cone of slower wind, 2a (R / (R + k x))². N. O. Jensen, Risø-M-2411, 1983. */
import { POINTS, type WakeModel } from './model.ts';

/** @param expansion k, 0.05 in FLORIS, 0.1 in Jensen's paper */
export const jensenWake = (expansion = 0.05): WakeModel => ({
  deficits({ diameterM, axialInduction }, downwindM, acrossM, upM, spanM, into) {
    const radius = diameterM / 2;
    const edge = radius + expansion * downwindM;
    const deficit = 2 * axialInduction * (radius / edge) ** 2;
    let any = false;
    for (let j = 0; j < POINTS; j++) {
      const across = acrossM + (j - 1) * spanM;
      for (let k = 0; k < POINTS; k++) {
        const up = upM + (k - 1) * spanM;
        const inside = across * across + up * up < edge * edge;
        into[j * POINTS + k] = inside ? deficit : 0;
        any ||= inside;
      }
    }
    return any;
  },
});
