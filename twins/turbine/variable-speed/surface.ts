/**
 * Cq and Ct of a rotor over tip-speed ratio λ and pitch β as tables: the analytic base surface, bilinear, times two one-dimensional
 * anchors that put it onto the published steady operation.
 *
 *   Cq(λ, β) = k₀(λ) k₁(β) Cq_base(λ, β),   Ct likewise with its own k₀ and k₁
 *
 * k₀ holds on the line of fine pitch below rated wind, k₁ on the line of rising pitch above it. Off both lines this is an
 * extrapolation of the base surface's shape. In the last row of the table before rated, power and thrust already fall off; that
 * part of k₀ belongs to fine pitch alone and is gone at half a degree, else it would push a pitching rotor to and fro.
 */
import { baseThrustCoefficient, baseTorqueCoefficient } from './base-surface.ts';
import type { VariableSpeedParameters } from './parameters.ts';
import { between, type OperatingPoint, steadyLine } from './steady-line.ts';
import { torqueLaw } from './torque-law.ts';

export const LAMBDA_MAX = 20;
export const LAMBDA_STEP = 0.25;
export const PITCH_MIN_DEG = -5;
export const PITCH_STEP_DEG = 1;
export const PITCH_CELLS = 95; // from −5° to 90°
export const LAMBDA_ANCHORS_PER_UNIT = 500;
export const PITCH_ANCHORS_PER_DEG = 20;
/** Where the blades have left fine pitch. */
export const PITCHED_DEG = 0.4;

export interface Surface {
  /** [λ × β × 2]: Cq and Ct of the base surface, λ-major. */
  readonly base: Float64Array;
  /** [λ × 4]: k₀ of Cq and Ct at fine pitch, and once the blades have left it. */
  readonly byLambda: Float64Array;
  /** [β × 2]: k₁ of Cq and Ct, from β = 0. */
  readonly byPitch: Float64Array;
  readonly operatingPoint: (windMps: number) => OperatingPoint;
}

const LINE_STEP_MPS = 0.01;
/** Around the optimal tip-speed ratio every point of the torque law K ω² is in balance: one anchor stands for all of them. */
const OPTIMUM_MARGIN = 0.01;

export function createSurface(p: VariableSpeedParameters): Surface {
  const line = steadyLine(p, torqueLaw(p));
  const surface: Surface = {
    base: baseTable(),
    byLambda: new Float64Array((LAMBDA_MAX * LAMBDA_ANCHORS_PER_UNIT + 2) * 4).fill(1),
    byPitch: new Float64Array((90 * PITCH_ANCHORS_PER_DEG + 2) * 2).fill(1),
    operatingPoint: line,
  };
  const points: OperatingPoint[] = [];
  for (let v = p.cutInMps; v <= p.cutOutMps + 1e-9; v += LINE_STEP_MPS) points.push(line(Math.round(v * 1e6) / 1e6));
  const out = new Float64Array(2);
  const wanted = points.map((point) => {
    const lambda = (point.rotorRadPerS * p.rotorRadiusM) / point.windMps;
    const pitchDeg = (point.pitchRad * 180) / Math.PI;
    return { lambda, pitchDeg, cq: point.powerCoefficient / lambda, ct: point.thrustCoefficient, point };
  });

  const fine = wanted.filter(({ pitchDeg }) => pitchDeg === 0);
  const optimal = fine.filter(({ point }) => isOptimal(p, point));
  const lambdaOfOptimum = optimal.reduce((sum, { lambda }) => sum + lambda / optimal.length, 0);
  const alongLambda = fine
    .filter(({ lambda }) => Math.abs(lambda / lambdaOfOptimum - 1) > OPTIMUM_MARGIN)
    .map(({ lambda, cq, ct }) => {
      readSurface(surface, lambda, 0, out);
      return { x: lambda, cq: cq / out[0], ct: ct / out[1] };
    });
  readSurface(surface, lambdaOfOptimum, 0, out);
  if (optimal.length > 0)
    alongLambda.push({
      x: lambdaOfOptimum,
      cq: middle(optimal.map(({ cq }) => cq)) / out[0],
      ct: middle(optimal.map(({ ct }) => ct)) / out[1],
    });
  fillAnchors(surface.byLambda, 4, 0, alongLambda, (i) => i / LAMBDA_ANCHORS_PER_UNIT);
  const kneeLambda = Math.min(...fine.filter(({ point }) => point.windMps <= beforeRatedMps(p)).map(({ lambda }) => lambda));
  const smooth = alongLambda.filter(({ x }) => x >= kneeLambda);
  fillAnchors(surface.byLambda, 4, 2, smooth, (i) => i / LAMBDA_ANCHORS_PER_UNIT);

  const alongPitch = [{ x: 0, cq: 1, ct: 1 }];
  for (const { lambda, pitchDeg, cq, ct } of wanted) {
    if (pitchDeg === 0) continue;
    readSurface(surface, lambda, pitchDeg, out); // k₁ is still 1
    alongPitch.push({ x: pitchDeg, cq: cq / out[0], ct: ct / out[1] });
  }
  fillAnchors(surface.byPitch, 2, 0, alongPitch, (i) => i / PITCH_ANCHORS_PER_DEG);
  return surface;
}

/** Writes Cq and Ct at λ and pitch (degrees) into `out`. The hot path does the same on columns: see `stepRotor`. */
export function readSurface({ base, byLambda, byPitch }: Surface, lambda: number, pitchDeg: number, out: Float64Array): void {
  const x = Math.min(Math.max(lambda, 0), LAMBDA_MAX) / LAMBDA_STEP;
  const y = Math.min(Math.max(pitchDeg, PITCH_MIN_DEG), 90) - PITCH_MIN_DEG;
  const i = Math.min(Math.floor(x), LAMBDA_MAX / LAMBDA_STEP - 1);
  const j = Math.min(Math.floor(y), PITCH_CELLS - 1);
  const fx = x - i;
  const fy = y - j;
  const near = 2 * (i * (PITCH_CELLS + 1) + j);
  const far = near + 2 * (PITCH_CELLS + 1);
  const a = x * LAMBDA_STEP * LAMBDA_ANCHORS_PER_UNIT;
  const ai = 4 * Math.floor(a);
  const af = a - Math.floor(a);
  const pitched = Math.min(1, Math.max(0, (y + PITCH_MIN_DEG) / PITCHED_DEG));
  const b = Math.max(0, y + PITCH_MIN_DEG) * PITCH_ANCHORS_PER_DEG;
  const bi = 2 * Math.floor(b);
  const bf = b - Math.floor(b);
  for (let k = 0; k < 2; k++) {
    const lower = base[near + k] + fy * (base[near + 2 + k] - base[near + k]);
    const upper = base[far + k] + fy * (base[far + 2 + k] - base[far + k]);
    const byFine = byLambda[ai + k] + af * (byLambda[ai + 4 + k] - byLambda[ai + k]);
    const byPitched = byLambda[ai + 2 + k] + af * (byLambda[ai + 6 + k] - byLambda[ai + 2 + k]);
    const byP = byPitch[bi + k] + bf * (byPitch[bi + 2 + k] - byPitch[bi + k]);
    out[k] = (lower + fx * (upper - lower)) * (byFine + pitched * (byPitched - byFine)) * byP;
  }
}

function baseTable(): Float64Array {
  const lambdas = LAMBDA_MAX / LAMBDA_STEP + 1;
  const table = new Float64Array(lambdas * (PITCH_CELLS + 1) * 2);
  for (let i = 0; i < lambdas; i++) {
    for (let j = 0; j <= PITCH_CELLS; j++) {
      const at = 2 * (i * (PITCH_CELLS + 1) + j);
      table[at] = baseTorqueCoefficient(i * LAMBDA_STEP, PITCH_MIN_DEG + j * PITCH_STEP_DEG);
      table[at + 1] = baseThrustCoefficient(i * LAMBDA_STEP, PITCH_MIN_DEG + j * PITCH_STEP_DEG);
    }
  }
  return table;
}

interface Anchor {
  readonly x: number;
  readonly cq: number;
  readonly ct: number;
}

/** Writes Cq and Ct factors into places `at` and `at + 1` of each group of `width`. */
function fillAnchors(table: Float64Array, width: number, at: number, anchors: readonly Anchor[], xOf: (i: number) => number): void {
  const sorted = [...anchors].sort((a, b) => a.x - b.x);
  const cq = sorted.map(({ x, cq }) => [x, cq] as const);
  const ct = sorted.map(({ x, ct }) => [x, ct] as const);
  for (let i = 0; i < table.length / width; i++) {
    table[width * i + at] = between(cq, xOf(i));
    table[width * i + at + 1] = between(ct, xOf(i));
  }
}

/** The last row of the table whose power is not yet rated. */
function beforeRatedMps({ steadyTable, torque, drivetrain }: VariableSpeedParameters): number {
  const ratedKw = ((1 - 1e-6) * torque.ratedMechanicalW * drivetrain.generatorEfficiency) / 1_000;
  const rated = steadyTable.rows.findIndex(([, powerKw]) => powerKw >= ratedKw);
  return steadyTable.rows[(rated < 0 ? steadyTable.rows.length : rated) - 1][0];
}

function isOptimal(p: VariableSpeedParameters, { rotorRadPerS }: OperatingPoint): boolean {
  const speed = rotorRadPerS * p.drivetrain.gearRatio;
  return speed >= p.torque.region2RadPerS && speed <= torqueLaw(p).transitionRadPerS;
}

const middle = (values: readonly number[]) => (Math.min(...values) + Math.max(...values)) / 2;
