/** What a wake solver must know of a turbine, and how a table of figures becomes one. */

export interface WakeTurbine {
  readonly rotorDiameterM: number;
  readonly hubHeightM: number;
  /** Electrical power, kW, of a rotor-averaged wind speed. */
  readonly powerKw: (windMps: number) => number;
  /** 0..; the solver keeps it within what momentum theory can take. */
  readonly thrustCoefficient: (windMps: number) => number;
}

/** Linear between the rows of the table, which rise in wind speed; outside of it the turbine stands still: no power, no thrust. */
export function tabulatedTurbine(
  rotor: { readonly rotorDiameterM: number; readonly hubHeightM: number },
  table: readonly (readonly [windMps: number, powerKw: number, thrustCoefficient: number])[],
): WakeTurbine {
  const windMps = Float64Array.from(table, ([v]) => v);
  return {
    ...rotor,
    powerKw: interpolation(
      windMps,
      Float64Array.from(table, ([, power]) => power),
    ),
    thrustCoefficient: interpolation(
      windMps,
      Float64Array.from(table, ([, , thrust]) => thrust),
    ),
  };
}

function interpolation(at: Float64Array, values: Float64Array): (x: number) => number {
  const last = at.length - 1;
  return (x) => {
    if (!(x >= at[0] && x <= at[last])) return 0;
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (at[middle] <= x) low = middle;
      else high = middle;
    }
    return values[low] + ((values[high] - values[low]) * (x - at[low])) / (at[high] - at[low]);
  };
}
