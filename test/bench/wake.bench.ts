import { machineNamed } from '../../twins/library/machines.ts';
import { createRng } from '../../twins/rng.ts';
import { gridLayout, type Layout } from '../../twins/wind/layout.ts';
import { createFarmWakes, type SteadyWind } from '../../twins/wind/wake/farm.ts';
import { wakeTurbineOf } from '../../twins/wake.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';

const FARMS = 1_000;
const nrel5mw = wakeTurbineOf(machineNamed('nrel-5mw'));

/** A wake update of 1 000 farms of 100 turbines, each in a wind of its own; the baseline is the same equations on an object a turbine. */
export async function bench(): Promise<Figure[]> {
  const layout = gridLayout(100, 6 * nrel5mw.rotorDiameterM);
  const rng = createRng(1);
  const winds = Array.from(
    { length: FARMS },
    (_, i): SteadyWind => ({
      windMps: 5 + 10 * rng.fork('speed').uniform(i),
      directionDeg: 360 * rng.fork('direction').uniform(i),
      turbulenceIntensity: 0.1,
      shear: 0.12,
    }),
  );
  const farm = createFarmWakes({ wake: 'gauss', turbines: nrel5mw, ...layout });
  const columns = nanosecondsEach((farms) => {
    for (let i = 0; i < farms; i++) farm.solve(winds[i % FARMS]);
  }, FARMS);
  const objects = nanosecondsEach((farms) => {
    for (let i = 0; i < farms; i++) solvePlainly(layout, winds[i % FARMS]);
  }, FARMS / 10);
  return [
    {
      name: 'wake update of 1 000 farms of 100',
      value: (columns * FARMS) / 1e9,
      unit: 's',
      baseline: { name: 'an object a turbine', value: (objects * FARMS) / 1e9, ratio: objects / columns },
    },
    {
      name: 'wakes of 100 turbines',
      value: 1e9 / columns,
      unit: 'winds a second',
      baseline: { name: 'an object a turbine', value: 1e9 / objects, ratio: objects / columns },
    },
  ];
}

interface PlainTurbine {
  readonly x: number;
  readonly y: number;
  ti: number;
  ct: number;
  powerKw: number;
  readonly points: { readonly dy: number; readonly dz: number; readonly free: number; squares: number }[];
}

/** Gauss wakes without yaw, written down as one reads them; upwind turbines first. */
export function solvePlainly({ xM, yM }: Layout, { windMps, directionDeg, turbulenceIntensity, shear }: SteadyWind): PlainTurbine[] {
  const { rotorDiameterM: D, hubHeightM } = nrel5mw;
  const phi = (directionDeg * Math.PI) / 180;
  const turbines = Array.from(
    xM,
    (x, i): PlainTurbine => ({
      x: -x * Math.sin(phi) - yM[i] * Math.cos(phi),
      y: x * Math.cos(phi) - yM[i] * Math.sin(phi),
      ti: turbulenceIntensity,
      ct: 0,
      powerKw: 0,
      points: [-1, 0, 1].flatMap((column) =>
        [-1, 0, 1].map((row) => ({
          dy: (column * D) / 4,
          dz: (row * D) / 4,
          free: windMps * ((hubHeightM + (row * D) / 4) / hubHeightM) ** shear,
          squares: 0,
        })),
      ),
    }),
  ).sort((a, b) => a.x - b.x);

  for (const source of turbines) {
    const u = Math.cbrt(source.points.reduce((sum, { free, squares }) => sum + (free - Math.sqrt(squares)) ** 3, 0) / 9);
    source.ct = Math.min(0.9999, Math.max(0.0001, nrel5mw.thrustCoefficient(u)));
    source.powerKw = nrel5mw.powerKw(u);
    const s = Math.sqrt(1 - source.ct);
    const x0 = (D * (1 + s)) / (Math.SQRT2 * (4 * 0.58 * source.ti + 2 * 0.077 * (1 - s)));
    for (const target of turbines) {
      const x = target.x - source.x;
      if (x <= 0.1) continue;
      const sigma0 = D / Math.sqrt(8);
      const sigma =
        x >= x0 ? sigma0 + (0.38 * source.ti + 0.004) * (x - x0) : 0.501 * D * Math.sqrt(source.ct / 2) * (1 - x / x0) + (sigma0 * x) / x0;
      const peak = 1 - Math.sqrt(Math.max(0, 1 - source.ct / (8 * (sigma / D) ** 2)));
      let inside = 0;
      for (const point of target.points) {
        const r2 = (target.y + point.dy - source.y) ** 2 + point.dz ** 2;
        const deficit = peak * Math.exp(-r2 / (2 * sigma ** 2)) * point.free;
        point.squares += deficit ** 2;
        if (deficit > 0.05) inside++;
      }
      if (x > 15 * D || Math.abs(target.y - source.y) >= 2 * D) continue;
      const added = (inside / 9) * 0.5 * ((1 - s) / 2) ** 0.8 * turbulenceIntensity ** 0.1 * (x / D) ** -0.32;
      target.ti = Math.max(target.ti, Math.sqrt(added ** 2 + turbulenceIntensity ** 2));
    }
  }
  return turbines;
}
