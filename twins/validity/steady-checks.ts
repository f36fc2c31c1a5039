/** Steady operation against the machine's published table; laws that hold for any machine. */
import type { TwinMachine } from '../library/machines.ts';
import { createPlant, PLANT_STEP_S } from '../plant.ts';
import { steadyOperation } from '../steady.ts';
import { between } from '../turbine/variable-speed/steady-line.ts';
import { createSurface, readSurface } from '../turbine/variable-speed/surface.ts';
import { speedAtPower, torqueLaw } from '../turbine/variable-speed/torque-law.ts';
import { STANDARD_DENSITY } from '../wind/air.ts';
import type { Check } from './check.ts';

type VariableSpeed = Extract<TwinMachine, { kind: 'variable-speed' }>;

const KNEE_MPS = [11, 12]; // of the 5-MW: where the table changes faster than its rows show
const BETZ = 16 / 27;
const FROM_CUT_IN_MPS = 1; // the table's first metre per second is start-up

/** Power, rotor speed, pitch and thrust over the machine's winds, between the rows of its table too. */
export function steadyChecks(machine: VariableSpeed): Check[] {
  const { parameters: p } = machine;
  const { rows, pitchRows, diameterM } = p.steadyTable;
  const area = (Math.PI * diameterM ** 2) / 4;
  const law = torqueLaw(p);
  const ratedKw = (p.torque.ratedMechanicalW * p.drivetrain.generatorEfficiency) / 1_000;
  const pressureKw = (v: number) => (0.5 * STANDARD_DENSITY * area * v ** 3) / 1_000;
  const powerCoefficient = rows.map(([v, kw]) => [v, v > 0 ? kw / pressureKw(v) : 0] as const);
  const thrustCoefficient = rows.map(([v, , ct]) => [v, ct] as const);

  const winds: number[] = [];
  for (let v = p.cutInMps + FROM_CUT_IN_MPS; v <= p.cutOutMps; v += 0.25) winds.push(Number(v.toFixed(2)));
  const points = steadyOperation(machine, winds, STANDARD_DENSITY);
  const wanted = winds.map((v) => {
    const kw = Math.min(ratedKw, between(powerCoefficient, v) * pressureKw(v));
    const isRated = kw >= ratedKw * (1 - 1e-6);
    const speed = isRated ? p.pitch.referenceRadPerS : speedAtPower(p, law, (kw * 1_000) / p.drivetrain.generatorEfficiency);
    return {
      kw,
      kn: (between(thrustCoefficient, v) * pressureKw(v)) / v,
      rpm: (speed * 30) / Math.PI / p.drivetrain.gearRatio,
      deg: v >= pitchRows[0][0] ? between(pitchRows, v) : null,
    };
  });
  const source = 'the machine’s table of power, thrust and pitch; rotor speed by its torque law';
  const worst = (deviation: (i: number) => number | null) => Math.max(...winds.map((_, i) => Math.abs(deviation(i) ?? 0)));
  const inKnee = (v: number) => v > KNEE_MPS[0] && v < KNEE_MPS[1];
  const curve = (got: (i: number) => number, want: (i: number) => number | null) => [
    { label: machine.name, x: winds, y: winds.map((_, i) => got(i)) },
    {
      label: 'reference',
      x: winds.filter((_, i) => want(i) !== null),
      y: winds.flatMap((_, i) => want(i) ?? []),
      isReference: true,
    },
  ];
  const check = (
    name: string,
    yLabel: string,
    unit: string,
    allowed: number,
    deviation: (i: number) => number | null,
    got: (i: number) => number,
    want: (i: number) => number | null,
  ): Check => ({
    name,
    source,
    deviation: worst(deviation),
    allowed,
    unit,
    plots: [{ title: name, xLabel: 'wind, m/s', yLabel, curves: curve(got, want) }],
  });
  return [
    check(
      'power',
      'power, kW',
      '%',
      0.5,
      (i) => (100 * (points[i].powerKw / wanted[i].kw - 1)) / (inKnee(winds[i]) ? 3 : 1),
      (i) => points[i].powerKw,
      (i) => wanted[i].kw,
    ),
    check(
      'rotor speed',
      'rotor, 1/min',
      '%',
      0.2,
      (i) => 100 * (points[i].rotorRpm / wanted[i].rpm - 1),
      (i) => points[i].rotorRpm,
      (i) => wanted[i].rpm,
    ),
    check(
      'pitch',
      'pitch, °',
      '°',
      0.05,
      (i) => (wanted[i].deg === null ? null : points[i].pitchDeg - wanted[i].deg),
      (i) => points[i].pitchDeg,
      (i) => wanted[i].deg,
    ),
    check(
      'thrust',
      'thrust, kN',
      '%',
      0.5,
      (i) => 100 * (points[i].thrustKn / wanted[i].kn - 1),
      (i) => points[i].thrustKn,
      (i) => wanted[i].kn,
    ),
  ];
}

export function betzCheck({ parameters }: VariableSpeed): Check {
  const surface = createSurface(parameters);
  const out = new Float64Array(2);
  let most = 0;
  const lambdas = Array.from({ length: 201 }, (_, i) => i / 10);
  const at = (lambda: number, pitchDeg: number) => {
    readSurface(surface, lambda, pitchDeg, out);
    return lambda * out[0];
  };
  for (const lambda of lambdas) for (let pitchDeg = -1; pitchDeg <= 30; pitchDeg += 0.5) most = Math.max(most, at(lambda, pitchDeg));
  return {
    name: 'Betz’s limit',
    source: 'A. Betz, 1920: Cp ≤ 16/27',
    deviation: most,
    allowed: BETZ,
    unit: 'Cp',
    isLimit: true,
    plots: [
      {
        title: 'power coefficient',
        xLabel: 'tip-speed ratio',
        yLabel: 'Cp',
        curves: [0, 2, 5, 10, 20].map((pitchDeg) => ({
          label: `${pitchDeg}°`,
          x: lambdas,
          y: lambdas.map((lambda) => Math.max(-0.1, at(lambda, pitchDeg))),
        })),
      },
    ],
  };
}

/** A step of the wind above rated: the pitch must come to rest. */
export function stepCheck(machine: VariableSpeed): Check {
  const plant = createPlant(machine, 1);
  plant.settle(0, 14);
  const [t, pitch, power, rotor]: number[][] = [[], [], [], []];
  for (let step = 0; step < 220 / PLANT_STEP_S; step++) {
    plant.step([step * PLANT_STEP_S < 20 ? 14 : 15], STANDARD_DENSITY);
    const reading = plant.read(0);
    t.push(step * PLANT_STEP_S);
    pitch.push(reading.pitchDeg);
    power.push(reading.powerKw);
    rotor.push(reading.rotorRpm);
  }
  const last = pitch.slice(-60 / PLANT_STEP_S);
  const every = (values: readonly number[]) => values.filter((_, i) => i % 5 === 0);
  return {
    name: 'pitch after a step from 14 to 15 m/s',
    source: 'no limit cycle: the pitch of the last minute of two hundred seconds stands still',
    deviation: Math.max(...last) - Math.min(...last),
    allowed: 0.05,
    unit: '°',
    plots: [
      { title: 'pitch', xLabel: 'time, s', yLabel: 'pitch, °', curves: [{ label: machine.name, x: every(t), y: every(pitch) }] },
      { title: 'rotor speed', xLabel: 'time, s', yLabel: 'rotor, 1/min', curves: [{ label: machine.name, x: every(t), y: every(rotor) }] },
    ],
  };
}
