import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigInvalid, FileInvalid } from '../../actors/contracts/errors.ts';
import { twinBacking } from '../../twins/backing.ts';
import { parseMachine } from '../../twins/library/machine-file.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { respond, responseHeader } from '../../twins/respond.ts';
import { createRng } from '../../twins/rng.ts';
import { steadyOperation } from '../../twins/steady.ts';
import { STANDARD_DENSITY } from '../../twins/wind/air.ts';
import { parseWindSeries } from '../../twins/wind/series.ts';
import { createVariableSpeedColumns } from '../../twins/turbine/variable-speed/columns.ts';
import { createVariableSpeedEffects } from '../../twins/turbine/variable-speed/effects.ts';
import { createVariableSpeedPlant } from '../../twins/turbine/variable-speed/step.ts';
import { createWindField } from '../../twins/wind/field.ts';

const answers = suite('answers to a wind');
const nrel5mw = machineNamed('nrel-5mw');
const columnOf = (rows: readonly string[], name: string) =>
  rows.map((row) => Number(row.split(',')[responseHeader.split(',').indexOf(name)]));
const faultsOf = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof FileInvalid || error instanceof ConfigInvalid ? error.message : `defect: ${error}`;
  }
};

answers('`twin respond` and a farm take the same steps, to the last bit', () => {
  const steps = 2_400;
  const things = ['A', 'B', 'C'];
  const site = { hubHeightM: 90, diameterM: 126, lengthM: 340.2 };
  const field = createWindField(createRng(7), things, { meanMps: 11.5, turbulenceIntensity: 'A' }, site, 0.05);
  const plant = createVariableSpeedPlant(nrel5mw.kind === 'variable-speed' ? nrel5mw.parameters : (assert.unreachable() as never), 0.05);
  const c = createVariableSpeedColumns(3);
  const e = createVariableSpeedEffects(3);
  field.advance(c.windMps, 0);
  for (let row = 0; row < 3; row++) plant.settle(c, row, c.windMps[row]);
  const lines = [`0,${c.windMps[1]}`];
  const power = [c.powerW[1]];
  for (let step = 1; step <= steps; step++) {
    field.advance(c.windMps, step);
    plant.step(c, e, STANDARD_DENSITY, 0, 3);
    lines.push(`${step / 20},${c.windMps[1]}`);
    power.push(c.powerW[1]);
  }

  const rows = [...respond(nrel5mw, parseWindSeries(['t,windMps', ...lines].join('\n'), 'w.csv'), 1)];

  assert.equal(
    columnOf(rows, 'powerKw'),
    power.map((watt) => watt / 1_000),
  );
});

answers('a twin of a farm depends on its seed and name, not on neighbours or their faults', () => {
  const powers = (things: readonly string[], breakFirst: boolean) => {
    const backing = twinBacking({ things, rng: createRng(3), machine: nrel5mw, wind: { meanMps: 10, turbulenceIntensity: 'B' } });
    if (breakFirst) for (const { name } of backing.faults.catalogue) backing.faults.inject(0, { fault: name, severity: 1, over: 0 }, 0);
    return Array.from({ length: 600 }, (_, i) => {
      backing.advance((i + 1) * 50);
      return backing.truth.powerW[things.indexOf('B')];
    });
  };
  assert.equal(powers(['A', 'B', 'C'], true), powers(['B'], false));
});

answers('a hundred thousand turbines take 256 bytes of state each', () => {
  const bytesOf = (count: number) => {
    const before = process.memoryUsage().arrayBuffers;
    const things = Array.from({ length: count }, (_, i) => `T-${i}`);
    const backing = twinBacking({ things, rng: createRng(1), machine: nrel5mw, wind: { meanMps: 10, turbulenceIntensity: 'B' } });
    const after = process.memoryUsage().arrayBuffers;
    assert.is(backing.things.length, count);
    return after - before;
  };
  const tables = bytesOf(1); // surface, sines, normals
  assert.ok((bytesOf(100_000) - tables) / 100_000 <= 256, `${(bytesOf(100_000) - tables) / 100_000} B`);
});

answers('a wind file is linear between its rows, turns the shorter way, and its warmth thins the air', () => {
  const series = parseWindSeries('t,windMps,directionDeg,temperatureC\n0,8,350,15\n600,10,10,35\n1200,10,10,35\n', 'w.csv');
  assert.equal(series.at(300), { windMps: 9, directionDeg: 0, temperatureC: 25 });
  assert.equal(series.at(5_000).windMps, 10);
  const rows = [...respond(nrel5mw, series, 20)];
  assert.is(rows.length, 1_201);
  const [warm] = columnOf(rows.slice(-1), 'powerKw');
  const [standard] = steadyOperation(nrel5mw, [10], 1.225);
  assert.ok(warm < 0.95 * standard.powerKw && warm > 0.9 * standard.powerKw, `${warm}`);
});

answers('names what is wrong with a wind file', () => {
  const faults = (text: string) => faultsOf(() => parseWindSeries(text, 'w.csv'));
  assert.match(faults('t,windMps\n0,8\n1,8\n2,8\n60,8\n'), 'w.csv:5:1 a gap of 58 s');
  assert.match(faults('t,windMps\n0,8\n1,8\n0.5,8\n'), 'w.csv:4:1 t goes back: 0.5 after 1');
  assert.match(faults('t,windMps\n0,8\n1,\n2,8\n'), 'w.csv:3:3 windMps is "", no number');
  assert.match(faults('t,windMps\n0,80\n1,90\n'), /w.csv:2:3 windMps 80 is more than 75 m\/s: is it in km\/h/);
  assert.match(faults('t,windMps\n0,41\n1,44\n2,45\n'), 'half of windMps is above 40');
  assert.match(faults('t,windKmh\n0,30\n'), 'has a column windKmh that is not known');
  assert.match(faults('t,windMps,temperatureC\n0,8,288\n1,8,288\n'), 'is it in kelvin');
  assert.match(
    faults(`t,windMps,directionDeg\n${Array.from({ length: 20 }, (_, i) => `${i},8,${(i * 0.31).toFixed(2)}`).join('\n')}\n`),
    'is it in radians',
  );
  assert.match(faults('t,windMps,directionDeg\n0,8,4.71\n1,8,4.73\n2,8,4.75\n'), 'is it in radians');
  assert.is(faults('t,windMps,directionDeg\n0,8,4.5\n1,8,5\n2,8,6\n'), 'accepted'); // a wind from about north
  assert.match(faults('t,windMps\n0,8000\n1,8100\n'), 'is it in mm/s');
  assert.match(faults('t,windMps\n0,800\n1,810\n'), 'is it in cm/s');
  assert.match(faults('t,windMps,temperatureC\n0,8,59\n1,8,59\n'), 'is it in °F');
  assert.match(faults('t,windMps\n0,8\n600000,8\n1200000,8\n'), 'rows come every 600000 s, and 3600 is the most: is t in milliseconds');
  assert.match(faults('t,windMps\n0,8\n1e300,8\n'), 'w.csv:3:1 rows come every 1e+300 s');
  assert.match(faults('t,windMps\n0,0x8\n1,8\n'), 'w.csv:2:3 windMps is "0x8", no number');
  assert.match(faults('T,windMps\n0,8\n1,8\n'), 'has a column T that is not known: it is called t');
  assert.match(faults('t;windMps\n0;8\n1;8\n'), 'w.csv:1:1 has its columns apart by something else than commas');
  assert.is(faults('\uFEFFt,windMps\r\n0,8\r\n1,8\r\n\r\n'), 'accepted');
  assert.match(faults('  \n'), 'w.csv:1:1 is empty');
  assert.match(faults('t,windMps\n0,8\u0000\n'), /^w.csv:2:4 is no text \(UTF-8\)$/);
  assert.match(faults('t,windMps\n0,8\n'), 'a series needs two');
  assert.match(faults('t,windMps\n0,-1\n1,8\n'), 'windMps -1 is negative');
});

answers('a machine file is like one of the library, with its own parameters', () => {
  const machine = parseMachine('name: my-4mw\nlike: nrel-5mw\nparameters:\n  drivetrain: { generatorEfficiency: 0.9 }\n', 'm.yaml');
  const [[own], [base]] = [machine, nrel5mw].map((of) => steadyOperation(of, [7], 1.225));
  assert.ok(Math.abs(own.powerKw / base.powerKw - 1) < 0.02); // anchored on the same table of electrical power
  assert.ok(own.rotorRpm > base.rotorRpm);
});

answers('names what is wrong with a machine file', () => {
  const faults = (text: string) => faultsOf(() => parseMachine(text, 'm.yaml'));
  assert.match(
    faults('name: m\nlike: nrel-5mw\nparameters:\n  drivetrain:\n    rotorInertiaKgM2: -5\n'),
    'm.yaml:5:5 parameters.drivetrain.rotorInertiaKgM2: -5 is negative',
  );
  assert.match(faults('name: m\nlike: nrel5mw\n'), /m.yaml:2:1 no machine nrel5mw in the library. Did you mean nrel-5mw/);
  assert.match(
    faults('name: m\nlike: nrel-5mw\nparameters:\n  rotorRadius: 60\n'),
    /m.yaml:4:3 parameters.rotorRadius: is not known. Did you mean rotorRadiusM/,
  );
  assert.match(faults('name: m\nlike: nrel-5mw\nparameters:\n  drivetrain: { generatorEfficiency: 94.4 }\n'), '94.4 is more than 1');
  assert.match(faults('name: m\nlike: nrel-5mw\nparameters:\n  steadyTable: { rows: [[4, 1, 1], [3, 1, 1]] }\n'), 'the first ascending');
  assert.match(faults('name: m\nlike: nrel-5mw\nparameters:\n  hubHeightM: high\n'), 'must be a number, not "high"');
  assert.match(faults('name: [\n'), /m.yaml:\d+:\d+ /);
  assert.match(faults('nam: m\nlike: nrel-5mw\n'), 'm.yaml:1:1');
  assert.match(faults('name: desk-turbine\nlike: desk-turbine\n'), 'is a machine of the library');
  assert.match(faults(''), 'm.yaml:1:1 is empty');
  assert.match(faults('name: m\nlike: nrel-5mw\nparameters: *nobody\n'), /m.yaml:3:13 Unresolved alias/);
  const layers = ['a: &a [x,x,x,x,x,x,x,x,x]', ...[...'bcdefg'].map((to, i) => `${to}: &${to} [${`*${'abcdef'[i]},`.repeat(9)}]`)];
  assert.match(faults(`${layers.join('\n')}\nname: m\nlike: nrel-5mw\n`), /m.yaml:2:\d+ Excessive alias count/);
  assert.match(faults('name: m\nlike: nrel-5mw\nparameters: { __proto__: { rotorRadiusM: 3 } }\n'), 'm.yaml:3:15 __proto__: is not known');
  assert.match(
    faultsOf(() => machineNamed('desk-turbin')),
    'Did you mean desk-turbine',
  );
});

answers('refuses a machine whose parameters do not go together, instead of running it into NaN', () => {
  const faults = (parameters: string, like = 'nrel-5mw') =>
    faultsOf(() => parseMachine(`name: m\nlike: ${like}\nparameters: ${parameters}\n`, 'm.yaml'));
  assert.match(faults('{ cutInMps: 30 }'), 'm.yaml:3:15 parameters.cutInMps: 30 m/s is not below the cut-out of 25 m/s');
  assert.match(faults('{ hubHeightM: 40 }'), 'blades of 63 m would strike the ground');
  assert.match(faults('{ rotorRadiusM: 1e308 }'), 'is it in another unit?');
  assert.match(faults('{ rotorRadiusM: 63000 }'), 'is it in another unit?');
  assert.match(faults('{ tower: { dampingRatio: 1 } }'), 'm.yaml:3:24 parameters.tower.dampingRatio: must be below 1');
  assert.match(faults('{ drivetrain: { gearRatio: 1 } }'), 'parameters.drivetrain.dampingNmSPerRad: the shaft would not swing');
  assert.match(faults('{ torque: { region2RadPerS: 60 } }'), 'parameters.torque.region2RadPerS: is not above cutInRadPerS');
  assert.match(faults('{ torque: { maximumNm: 20000 } }'), 'is below the torque at rated power, 4.353e+4 N·m'.replace('4.353e+4', '43530'));
  assert.match(faults('{ torque: { optimalGain: 9 } }'), 'K ω² never meets the line of the slip');
  assert.match(faults('{ pitch: { maximumRad: 90 } }'), 'is it in degrees?');
  assert.match(faults('{ steadyTable: { rows: [[3,-5,1],[12,5000,0.5],[25,5000,0.1]] } }'), 'power must not be negative');
  assert.match(faults('{ cutOutMps: 60 }'), 'hold 0..50 m/s, and the turbine runs in 3..60');
  assert.match(faults('{ rotorRadiusM: 50 }'), /would take Cp 0\.\d+ at .* more than Betz allows/);
  assert.match(faults('{ hubHeightM: 140, rotorRadiusM: 126 }'), 'times as fast as a wind of 3 m/s');
  assert.match(faults('{ slotsPerRevolution: 16.5 }', 'desk-turbine'), '16.5 is no whole number');
  assert.match(faults('{ torqueCoefficientAtRest: 0.5 }', 'desk-turbine'), 'more than Betz allows');
  assert.is(faults('{ rotorRadiusM: 58, drivetrain: { rotorInertiaKgM2: 2.9e7 } }'), 'accepted'); // as the documentation shows
  for (const like of ['nrel-5mw', 'desk-turbine']) assert.is(faults('{}', like), 'accepted');
});

answers.run();
