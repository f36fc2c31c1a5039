import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { machineNamed } from '../../twins/library/machines.ts';
import { nrel5mwParameters as parameters } from '../../twins/library/nrel-5mw.ts';
import { nrel5mwPitch, nrel5mwPowerThrust } from '../../twins/library/nrel-5mw-table.ts';
import { createPlant, PLANT_STEP_S } from '../../twins/plant.ts';
import { steadyOperation } from '../../twins/steady.ts';
import { createVariableSpeedColumns } from '../../twins/turbine/variable-speed/columns.ts';
import { torsion } from '../../twins/turbine/variable-speed/drivetrain.ts';
import { createVariableSpeedEffects } from '../../twins/turbine/variable-speed/effects.ts';
import { createVariableSpeedPlant } from '../../twins/turbine/variable-speed/step.ts';
import { createSurface, readSurface } from '../../twins/turbine/variable-speed/surface.ts';

const variableSpeed = suite('variable-speed twins');
const nrel5mw = machineNamed('nrel-5mw');
const near = (got: number, wanted: number, relative: number, what: string) =>
  assert.ok(Math.abs(got / wanted - 1) <= relative, `${what}: ${got}, not ${wanted} (${(100 * (got / wanted - 1)).toFixed(3)} %)`);

// NREL/turbine-models NREL_Reference_5MW_126 (power, thrust), TP-500-38060 table 7-1 (pitch); rotor speed from the power through the
// published torque law: m/s, 1/min, degrees, kW, kN.
const R1 = [
  [4, 7.183, 0, 177.67, 121.9],
  [5, 7.507, 0, 403.9, 174.88],
  [6, 7.942, 0, 737.59, 236.23],
  [7, 8.469, 0, 1187.18, 304.55],
  [8, 9.156, 0, 1771.17, 384.0],
  [9, 10.296, 0, 2518.55, 485.21],
  [10, 11.433, 0, 3448.38, 597.48],
  [11, 11.891, 0, 4562.5, 696.6],
  [12, 12.1, 3.83, 5000, 595.94],
  [13, 12.1, 6.6, 5000, 514.41],
  [14, 12.1, 8.7, 5000, 463.93],
  [15, 12.1, 10.45, 5000, 426.43],
  [16, 12.1, 12.06, 5000, 397.2],
  [17, 12.1, 13.54, 5000, 373.66],
  [18, 12.1, 14.92, 5000, 354.36],
  [19, 12.1, 16.23, 5000, 338.3],
  [20, 12.1, 17.47, 5000, 324.77],
  [21, 12.1, 18.7, 5000, 312.72],
  [22, 12.1, 19.94, 5000, 301.23],
  [23, 12.1, 21.18, 5000, 291.13],
  [24, 12.1, 22.35, 5000, 282.71],
  [25, 12.1, 23.47, 5000, 275.29],
];

variableSpeed('the 5-MW turbine stands on its published table', () => {
  const points = steadyOperation(
    nrel5mw,
    R1.map(([windMps]) => windMps),
    1.225,
  );
  for (const [i, [windMps, rpm, pitch, kw, kn]] of R1.entries()) {
    near(points[i].powerKw, kw, windMps === 11 || windMps === 12 ? 0.015 : 0.005, `power at ${windMps} m/s`);
    near(points[i].rotorRpm, rpm, 0.002, `rotor speed at ${windMps} m/s`);
    near(points[i].thrustKn, kn, 0.005, `thrust at ${windMps} m/s`);
    if (windMps >= 12) assert.ok(Math.abs(points[i].pitchDeg - pitch) <= 0.05, `pitch at ${windMps} m/s: ${points[i].pitchDeg}`);
  }
});

variableSpeed('between the rows Cp and Ct go in a line with the wind, and the pitch never falls', () => {
  const area = (Math.PI * 125.88 ** 2) / 4;
  const winds = Array.from({ length: 170 }, (_, i) => Number((4.03 + i * 0.123).toFixed(3))).filter((v) => v < 11.36 || v > 11.4);
  const points = steadyOperation(nrel5mw, winds, 1.225);
  let pitchBefore = -1;
  for (const [i, windMps] of winds.entries()) {
    const next = nrel5mwPowerThrust.findIndex(([v]) => v >= windMps);
    const [[v0, kw0, ct0], [v1, kw1, ct1]] = [nrel5mwPowerThrust[next - 1], nrel5mwPowerThrust[next]];
    const share = (windMps - v0) / (v1 - v0);
    const kw = Math.min(5_000, (kw0 / v0 ** 3 + share * (kw1 / v1 ** 3 - kw0 / v0 ** 3)) * windMps ** 3);
    const kn = ((ct0 + share * (ct1 - ct0)) * 0.5 * 1.225 * area * windMps ** 2) / 1_000;
    near(points[i].powerKw, kw, 0.005, `power at ${windMps} m/s`);
    near(points[i].thrustKn, kn, 0.005, `thrust at ${windMps} m/s`);
    assert.ok(points[i].pitchDeg >= pitchBefore - 1e-6, `pitch at ${windMps} m/s`);
    pitchBefore = points[i].pitchDeg;
    if (windMps < 12) continue;
    const row = nrel5mwPitch.findIndex(([v]) => v >= windMps);
    const [[u0, deg0], [u1, deg1]] = [nrel5mwPitch[row - 1], nrel5mwPitch[row]];
    const deg = deg0 + ((windMps - u0) / (u1 - u0)) * (deg1 - deg0);
    assert.ok(Math.abs(points[i].pitchDeg - deg) <= 0.05, `pitch at ${windMps} m/s: ${points[i].pitchDeg}, not ${deg}`);
  }
});

variableSpeed('power below rated follows the density of the air; outside its winds the turbine stands', () => {
  const [thin, dense] = [1.1, 1.225].map((density) => steadyOperation(nrel5mw, [6, 7, 9, 10.5], density));
  for (const [i, { powerKw }] of dense.entries()) near(thin[i].powerKw / powerKw, 1.1 / 1.225, 0.01, `${dense[i].windMps} m/s`);
  for (const { powerKw, rotorRpm } of steadyOperation(nrel5mw, [2, 26], 1.225)) assert.ok(Math.abs(powerKw) < 1 && rotorRpm < 1);
});

variableSpeed('no point of the surface takes more than Betz allows', () => {
  const surface = createSurface(parameters);
  const out = new Float64Array(2);
  for (let lambda = 0; lambda <= 20; lambda += 0.05) {
    for (let pitchDeg = -1; pitchDeg <= 30; pitchDeg += 0.25) {
      readSurface(surface, lambda, pitchDeg, out);
      assert.ok(lambda * out[0] < 16 / 27, `Cp ${lambda * out[0]} at ${lambda}, ${pitchDeg}`);
    }
  }
});

variableSpeed('a locked rotor makes no power', () => {
  const plant = createVariableSpeedPlant(parameters, PLANT_STEP_S);
  const c = createVariableSpeedColumns(1);
  const e = createVariableSpeedEffects(1);
  plant.settle(c, 0, 10);
  for (let step = 0; step < 2_000; step++) {
    c.shaftRadPerS[0] = 0;
    c.twistRad[0] = 0;
    c.twistRadPerS[0] = 0;
    plant.step(c, e, 1.225, 0, 1);
  }
  assert.ok(Math.abs(c.powerW[0]) < 5_000, `${c.powerW[0]} W`); // the twist of one step, of 5 MW
  assert.is(c.torqueNm[0], 0);
});

variableSpeed('energy taken from the wind is power, heat, or stored', () => {
  const plant = createVariableSpeedPlant(parameters, PLANT_STEP_S);
  const c = createVariableSpeedColumns(1);
  const e = createVariableSpeedEffects(1);
  const { rotorInertiaKgM2, generatorInertiaKgM2, gearRatio, generatorEfficiency, stiffnessNmPerRad, dampingNmSPerRad } =
    parameters.drivetrain;
  const generatorInertia = generatorInertiaKgM2 * gearRatio ** 2;
  const stored = () => {
    const share = generatorInertia / (rotorInertiaKgM2 + generatorInertia);
    const rotor = c.shaftRadPerS[0] + share * c.twistRadPerS[0];
    const generator = c.shaftRadPerS[0] - (1 - share) * c.twistRadPerS[0];
    return 0.5 * (rotorInertiaKgM2 * rotor ** 2 + generatorInertia * generator ** 2 + stiffnessNmPerRad * c.twistRad[0] ** 2);
  };
  plant.settle(c, 0, 9);
  const before = stored();
  let [taken, given, damped] = [0, 0, 0];
  let rate = c.twistRadPerS[0];
  for (let step = 0; step < 24_000; step++) {
    c.windMps[0] = 10 + 4 * Math.sin(step / 150) + 2 * Math.sin(step / 7); // through the knee and back, with gusts
    plant.step(c, e, 1.225, 0, 1);
    taken += c.aeroPowerW[0] * PLANT_STEP_S;
    given += (c.powerW[0] / generatorEfficiency) * PLANT_STEP_S;
    damped += 0.5 * dampingNmSPerRad * (rate ** 2 + c.twistRadPerS[0] ** 2) * PLANT_STEP_S;
    rate = c.twistRadPerS[0];
  }
  assert.ok(Math.abs((taken - given - damped - (stored() - before)) / taken) < 1e-3);
});

variableSpeed('the shaft rings at its own frequency and damping', () => {
  // Rotor against generator: ω = √(K (1/J_r + 1/J_g)), ζ = C (1/J_r + 1/J_g) / 2ω, with the constants of the OpenFAST model.
  const inverse = 1 / 38_677_040.613 + 1 / (534.116 * 97 ** 2);
  const wanted = { radPerS: Math.sqrt(867_637_000 * inverse), dampingRatio: (6_215_000 * inverse) / 2 / Math.sqrt(867_637_000 * inverse) };
  assert.ok(Math.abs(torsion(parameters).radPerS - wanted.radPerS) < 1e-9);
  const dt = 0.002;
  const plant = createVariableSpeedPlant(parameters, dt);
  const c = createVariableSpeedColumns(1);
  const e = createVariableSpeedEffects(1);
  c.twistRad[0] = 1e-3; // released at standstill, without wind
  const peaks: { t: number; height: number }[] = [];
  let [before, at] = [0, 0];
  for (let step = 1; step < 2_000; step++) {
    plant.step(c, e, 1.225, 0, 1);
    if (at > before && at > c.twistRad[0] && at > 0) peaks.push({ t: step * dt, height: at });
    [before, at] = [at, c.twistRad[0]];
  }
  const period = (peaks[4].t - peaks[0].t) / 4;
  const decrement = Math.log(peaks[0].height / peaks[4].height) / 4;
  near((2 * Math.PI) / period, wanted.radPerS * Math.sqrt(1 - wanted.dampingRatio ** 2), 0.01, 'frequency');
  near(decrement / Math.sqrt(4 * Math.PI ** 2 + decrement ** 2), wanted.dampingRatio, 0.05, 'damping');
});

variableSpeed('pitch settles after a step of the wind, without a limit cycle', () => {
  const plant = createPlant(nrel5mw, 1);
  plant.settle(0, 14);
  const pitch: number[] = [];
  for (let step = 0; step < 200 * 20; step++) {
    plant.step([15], 1.225);
    pitch.push(plant.read(0).pitchDeg);
  }
  const last = pitch.slice(-60 * 20);
  assert.ok(Math.max(...last) - Math.min(...last) < 0.02, `${Math.max(...last) - Math.min(...last)}°`);
  assert.ok(Math.abs(last[0] - 10.45) < 0.05);
  assert.ok(Math.max(...pitch) < 12.5);
});

variableSpeed.run();
