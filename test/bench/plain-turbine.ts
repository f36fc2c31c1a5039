/**
 * The 5-MW step written plainly, an object a turbine: the baseline of the benchmark, and a check that columns changed no equation.
 *
 * With `plainMath` every draw and every angle calls Math.log, Math.cos and Math.sin; else it uses the tables of the real one.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import { mixWords } from '../../twins/rng.ts';
import { torsion } from '../../twins/turbine/variable-speed/drivetrain.ts';
import { createOscillator } from '../../twins/turbine/variable-speed/oscillator.ts';
import type { VariableSpeedParameters } from '../../twins/turbine/variable-speed/parameters.ts';
import { SINE_CELLS, sineTable } from '../../twins/turbine/variable-speed/sine.ts';
import { readSurface, type Surface } from '../../twins/turbine/variable-speed/surface.ts';
import { torqueLaw, torqueNm } from '../../twins/turbine/variable-speed/torque-law.ts';
import { NORMAL_CELLS, normalTable } from '../../twins/wind/normals.ts';

const DT = 0.05;
const BANK = [
  [2.68554, 0.20823],
  [0.62012, 0.51722],
  [0.12781, 0.20968],
  [0.01874, 0.05089],
  [0.00238, 0.01398],
];
const DEG = 180 / Math.PI;
const SMOOTHING = 1 - Math.exp(-DT / 10);
const normals = normalTable();
const sine = sineTable();
const out = new Float64Array(2);

export class PlainTurbine {
  windMps = 0;
  smoothedMps: number;
  shaft: number;
  twist = 0;
  twistRate = 0;
  azimuth = 0;
  filtered: number;
  torque = 0;
  pitch: number;
  integral = 0;
  powerW = 0;
  foreAft = { x: 0, v: 0 };
  sideSide = { x: 0, v: 0 };
  heat = { gearbox: 0, generator: 0, nacelle: 0 };
  readonly eddies = BANK.map(() => 0);
  readonly #p: VariableSpeedParameters;
  readonly #surface: Surface;
  readonly #chance: Rng;
  readonly #meanMps: number;
  readonly #plainMath: boolean;
  readonly #torsion;
  readonly #tower;
  readonly #side;
  readonly #law;
  readonly #bank;
  readonly #keep;

  constructor(p: VariableSpeedParameters, surface: Surface, chance: Rng, meanMps: number, plainMath: boolean) {
    this.#p = p;
    this.#surface = surface;
    this.#chance = chance;
    this.#meanMps = meanMps;
    this.#plainMath = plainMath;
    const shaft = torsion(p);
    this.#torsion = createOscillator(shaft.radPerS, shaft.dampingRatio, DT);
    this.#tower = createOscillator(2 * Math.PI * p.tower.foreAftHz, p.tower.dampingRatio, DT);
    this.#side = createOscillator(2 * Math.PI * p.tower.sideSideHz, p.tower.dampingRatio, DT);
    this.#law = torqueLaw(p);
    this.#keep = Math.exp(-DT * p.pitch.speedFilterRadPerS);
    this.#bank = BANK.map(([time, weight]) => {
      const a = Math.exp((-DT * meanMps) / (time * 340.2));
      return { a, kick: Math.sqrt(1 - a * a), share: Math.sqrt(weight) };
    });
    const start = surface.operatingPoint(meanMps);
    this.smoothedMps = meanMps;
    this.shaft = start.rotorRadPerS;
    this.filtered = start.rotorRadPerS * p.drivetrain.gearRatio;
    this.pitch = start.pitchRad;
  }

  #normal(step: number, k: number): number {
    if (this.#plainMath) return this.#chance.normal(step * BANK.length + k);
    const [low, high] = this.#chance.key;
    return normals[mixWords(low, high, step, k) & (NORMAL_CELLS - 1)];
  }

  step(step: number, airDensity: number): void {
    const { drivetrain: d, pitch, torque: t, tower, thermal, rotorRadiusM } = this.#p;
    let fluctuation = 0;
    for (let k = 0; k < BANK.length; k++) {
      const { a, kick, share } = this.#bank[k];
      this.eddies[k] = a * this.eddies[k] + kick * this.#normal(step, k);
      fluctuation += share * this.eddies[k];
    }
    this.windMps = Math.max(0, this.#meanMps + 0.17 * this.#meanMps * fluctuation);
    this.smoothedMps += SMOOTHING * (this.windMps - this.smoothedMps);

    const generatorInertia = d.generatorInertiaKgM2 * d.gearRatio ** 2;
    const inertia = d.rotorInertiaKgM2 + generatorInertia;
    const speed = d.gearRatio * (this.shaft - (d.rotorInertiaKgM2 / inertia) * this.twistRate);
    const keep = this.#keep;
    this.filtered = keep * this.filtered + (1 - keep) * speed;
    const wanted = this.pitch >= pitch.constantPowerRad ? t.ratedMechanicalW / this.filtered : torqueNm(this.#p, this.#law, this.filtered);
    this.torque += Math.max(-t.rateNmPerS * DT, Math.min(t.rateNmPerS * DT, Math.min(wanted, t.maximumNm) - this.torque));
    const gain = 1 / (1 + this.pitch / pitch.halvingRad);
    const error = this.filtered - pitch.referenceRadPerS;
    this.integral = Math.max(0, Math.min(pitch.maximumRad / (gain * pitch.integral), this.integral + error * DT));
    const command = Math.max(0, Math.min(pitch.maximumRad, gain * (pitch.proportionalS * error + pitch.integral * this.integral)));
    this.pitch += Math.max(-pitch.rateRadPerS * DT, Math.min(pitch.rateRadPerS * DT, command - this.pitch));

    const v = Math.max(0.1, this.windMps - this.foreAft.v);
    const omega = this.shaft + (generatorInertia / inertia) * this.twistRate;
    readSurface(this.#surface, (omega * rotorRadiusM) / v, this.pitch * DEG, out);
    const pressure = 0.5 * airDensity * Math.PI * rotorRadiusM ** 2 * v * v;
    const aero = pressure * rotorRadiusM * out[0];
    const thrust = pressure * out[1];

    const generator = this.torque * d.gearRatio;
    const before = this.shaft;
    this.shaft = Math.max(0, before + ((aero - generator) / inertia) * DT);
    const twistBefore = this.twist;
    [this.twist, this.twistRate] = swing(
      this.#torsion,
      this.twist,
      this.twistRate,
      aero / d.rotorInertiaKgM2 + generator / generatorInertia,
    );
    const lead = this.twist - twistBefore;
    const turned = 0.5 * (before + this.shaft) * DT;
    this.azimuth = (this.azimuth + turned + (generatorInertia / inertia) * lead) % (2 * Math.PI);
    this.powerW = (d.generatorEfficiency * generator * (turned - (d.rotorInertiaKgM2 / inertia) * lead)) / DT;

    const cos = this.#plainMath ? Math.cos(this.azimuth) : sine[((this.azimuth * SINE_CELLS) / (2 * Math.PI) + SINE_CELLS / 4) | 0];
    const sin = this.#plainMath ? Math.sin(this.azimuth) : sine[((this.azimuth * SINE_CELLS) / (2 * Math.PI)) | 0];
    const pass = this.#plainMath ? Math.cos(3 * this.azimuth) : cos * (4 * cos * cos - 3);
    const ahead = (thrust * (1 + tower.bladePassShare * pass)) / tower.topMassKg;
    [this.foreAft.x, this.foreAft.v] = swing(this.#tower, this.foreAft.x, this.foreAft.v, ahead);
    const aside = (tower.imbalanceKgM * this.shaft * this.shaft * sin) / tower.topMassKg;
    [this.sideSide.x, this.sideSide.v] = swing(this.#side, this.sideSide.x, this.sideSide.v, aside);

    const lossW = this.powerW * (1 / d.generatorEfficiency - 1);
    const fromGearbox = thermal.gearboxWPerK * this.heat.gearbox;
    const fromGenerator = thermal.generatorWPerK * this.heat.generator;
    this.heat.gearbox += (DT / thermal.gearboxJPerK) * (thermal.gearboxLossShare * lossW - fromGearbox);
    this.heat.generator += (DT / thermal.generatorJPerK) * (thermal.generatorLossShare * lossW - fromGenerator);
    this.heat.nacelle += (DT / thermal.nacelleJPerK) * (fromGearbox + fromGenerator - thermal.nacelleWPerK * this.heat.nacelle);
  }
}

function swing(o: ReturnType<typeof createOscillator>, x: number, v: number, f: number): [number, number] {
  const rest = f * o.compliance;
  return [o.m00 * (x - rest) + o.m01 * v + rest, o.m10 * (x - rest) + o.m11 * v];
}
