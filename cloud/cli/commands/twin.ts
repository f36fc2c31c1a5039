/** The doors to the physics: steady operation, the answer to a wind, wakes, energy of a year, and the report that checks them all. */
import { once } from 'node:events';
import { createWriteStream, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Command } from 'commander';
import { FileInvalid, reasonOf, UsageError } from '../../../actors/contracts/errors.ts';
import { type Io, printFacts, table } from '../print.ts';
import { openMachine, readText } from './machine.ts';

const ROWS_AT_ONCE = 200;

export function addTwinCommands(program: Command, io: Io): void {
  const twin = program.command('twin').description('The physics of the twins, from the outside.');

  twin
    .command('steady')
    .description('Steady operation in uniform wind: rotor speed, pitch, electrical power and thrust, ten minutes after the wind began.')
    .requiredOption('--machine <name>', 'of the library, or a machine file (.yaml)')
    .requiredOption('--wind <speeds>', 'm/s at hub height, with commas between')
    .option('--density <kg/m³>', 'of the air', '1.225')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet twin steady --machine nrel-5mw --wind 7.5,10.5\n  windfleet twin steady --machine my-4mw.yaml --wind 11 --density 1.1 --json',
    )
    .action(async (flags: { machine: string; wind: string; density: string; json?: boolean }) => {
      const winds = numbers('--wind', flags.wind, 0, 75);
      const density = number('--density', flags.density, 0.5, 2);
      const machine = await openMachine(flags.machine);
      const { steadyOperation } = await import('../../../twins/steady.ts');
      const points = steadyOperation(machine, winds, density);
      printFacts(io, flags.json === true, points, () =>
        table(
          ['wind m/s', 'rotor 1/min', 'pitch °', 'power kW', 'thrust kN'],
          points.map((p) => [String(p.windMps), p.rotorRpm.toFixed(3), p.pitchDeg.toFixed(3), p.powerKw.toFixed(2), p.thrustKn.toFixed(2)]),
        ),
      );
    });

  twin
    .command('respond')
    .description('The twin’s answer to a wind series (CSV t,windMps[,directionDeg,temperatureC]), by the steps that the farm takes.')
    .requiredOption('--machine <name>', 'of the library, or a machine file (.yaml)')
    .requiredOption('--wind-file <csv>')
    .option('--at <rate>', 'rows a second, a divisor of 20Hz', '20Hz')
    .option('--out <csv>', 'instead of the standard output')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet twin respond --machine nrel-5mw --wind-file gust.csv --out answer.csv\n  windfleet twin respond --machine desk-turbine --wind-file fan.csv --at 1Hz',
    )
    .action(async (flags: { machine: string; windFile: string; at: string; out?: string }) => {
      const { respond, RESPONSE_RATE_HZ, responseHeader } = await import('../../../twins/respond.ts');
      const { parseWindSeries } = await import('../../../twins/wind/series.ts');
      const rate = /^(\d+(?:\.\d+)?)\s*Hz$/i.exec(flags.at)?.[1];
      const every = rate === undefined ? Number.NaN : RESPONSE_RATE_HZ / Number(rate);
      if (!(every >= 1 && Math.abs(every - Math.round(every)) < 1e-9))
        throw new UsageError(`--at ${flags.at} is no rate that divides ${RESPONSE_RATE_HZ}Hz`, { hint: 'as 20Hz, 10Hz, 1Hz, 0.1Hz' });
      const machine = await openMachine(flags.machine);
      const series = parseWindSeries(readText(flags.windFile), flags.windFile);
      const rows = respond(machine, series, Math.round(every));
      if (flags.out === undefined) await writeRows(process.stdout, responseHeader, rows, io.signal);
      else {
        reserve(flags.out);
        const part = `${flags.out}.part`;
        const file = createWriteStream(part);
        await once(file, 'open');
        const written = await writeRows(file, responseHeader, rows, io.signal);
        file.end();
        await once(file, 'close');
        if (io.signal.aborted) return rmSync(part);
        renameSync(part, flags.out); // whole, or not there
        io.out(`${flags.out}: ${written} rows, ${series.toS - series.fromS} s of ${machine.name}`);
      }
    });

  twin
    .command('wake')
    .description('A farm in steady wind: each rotor’s mean wind, thrust coefficient and power, in the layout’s order.')
    .requiredOption('--wake <model>', 'jensen or gauss')
    .requiredOption('--machine <name>', 'of the library, or a machine file (.yaml)')
    .requiredOption('--layout <csv>', 'x,y in metres: east and north')
    .requiredOption('--wind <m/s>', 'at hub height')
    .requiredOption('--direction <deg>', 'from where, clockwise from north')
    .option('--ti <share>', 'turbulence intensity', '0.1')
    .option('--shear <exponent>', 'of the power law of height', '0.12')
    .option('--yaw <degrees>', 'of each turbine, with commas between; counter-clockwise from above')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet twin wake --wake gauss --machine nrel-5mw --layout row.csv --wind 8 --direction 270\n  windfleet twin wake --wake jensen --machine nrel-5mw --layout row.csv --wind 8 --direction 270 --yaw 5,0,0 --json',
    )
    .action(
      async (flags: {
        wake: string;
        machine: string;
        layout: string;
        wind: string;
        direction: string;
        ti: string;
        shear: string;
        yaw?: string;
        json?: boolean;
      }) => {
        const { wokenFarm } = await import('../../../twins/wake.ts');
        const { parseLayout } = await import('../../../twins/wind/layout.ts');
        const machine = await openMachine(flags.machine);
        const wind = {
          windMps: number('--wind', flags.wind, 0, 75),
          directionDeg: number('--direction', flags.direction, -360, 720),
          turbulenceIntensity: number('--ti', flags.ti, 0.001, 1),
          shear: number('--shear', flags.shear, -1, 1),
        };
        const layout = parseLayout(readText(flags.layout), flags.layout);
        const yaw = flags.yaw === undefined ? {} : { yawDeg: numbers('--yaw', flags.yaw, -60, 60) };
        const turbines = wokenFarm(flags.wake, machine, layout, { ...wind, ...yaw });
        printFacts(io, flags.json === true, turbines, () =>
          table(
            ['x m', 'y m', 'wind m/s', 'Ct', 'power kW'],
            turbines.map((t) => [String(t.x), String(t.y), t.windMps.toFixed(4), t.ct.toFixed(4), t.powerKw.toFixed(1)]),
          ),
        );
      },
    );

  twin
    .command('aep')
    .description('Energy of a year of a farm in a wind rose.')
    .requiredOption('--wake <model>', 'iea37, which has a turbine of its own; gauss or jensen, of a machine')
    .option('--machine <name>', 'of the library, or a machine file (.yaml); not with iea37')
    .requiredOption('--layout <csv>', 'x,y in metres')
    .requiredOption('--rose <csv>', 'directionDeg,probability[,windMps]')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet twin aep --wake iea37 --layout ex16.csv --rose rose.csv\n  windfleet twin aep --wake iea37 --layout ex16.csv --rose rose.csv --json',
    )
    .action(async (flags: { wake: string; machine?: string; layout: string; rose: string; json?: boolean }) => {
      const [{ energyOfYear }, { parseLayout }, { parseRose }] = await Promise.all([
        import('../../../twins/wake.ts'),
        import('../../../twins/wind/layout.ts'),
        import('../../../twins/wind/rose.ts'),
      ]);
      const machine = flags.machine === undefined ? null : await openMachine(flags.machine);
      const layout = parseLayout(readText(flags.layout), flags.layout);
      const rose = parseRose(readText(flags.rose), flags.rose);
      const energy = energyOfYear(flags.wake, machine, layout, rose);
      printFacts(io, flags.json === true, energy, () =>
        [
          table(
            ['from °', 'share', 'MWh'],
            rose.map(({ directionDeg, probability }, i) => [String(directionDeg), String(probability), energy.bins[i].toFixed(3)]),
          ),
          `a year: ${energy.mwh.toFixed(3)} MWh`,
        ].join('\n'),
      );
    });

  twin
    .command('validate')
    .description('Every physics check with its reference, drawn into one HTML file; exits 1 when a check fails.')
    .option('--machine <name>', 'of the library, or a machine file (.yaml); all of the library when absent')
    .requiredOption('--report <html>')
    .option('--json')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet twin validate --report twins.html\n  windfleet twin validate --machine nrel-5mw --report nrel-5mw.html --json',
    )
    .action(async (flags: { machine?: string; report: string; json?: boolean }) => {
      const [{ checksOf, figure, reportHtml }, { hasPassed }, { machines }] = await Promise.all([
        import('../../../twins/validity/report.ts'),
        import('../../../twins/validity/check.ts'),
        import('../../../twins/library/machines.ts'),
      ]);
      const chosen = flags.machine === undefined ? machines : [await openMachine(flags.machine)];
      reserve(flags.report);
      const sections = chosen.map((machine) => {
        if (io.isTerminal) io.err(`checking ${machine.name} …`);
        return { machine, checks: checksOf(machine) };
      });
      writeWhole(flags.report, reportHtml(sections));
      const facts = sections.flatMap(({ machine, checks }) =>
        checks.map((check) => ({
          machine: machine.name,
          check: check.name,
          passed: hasPassed(check),
          deviation: check.deviation,
          allowed: check.allowed,
          unit: check.unit,
          source: check.source,
        })),
      );
      printFacts(io, flags.json === true, facts, () =>
        [
          table(
            ['', 'machine', 'check', 'off by', 'allowed', ''],
            facts.map((f) => [f.passed ? 'ok' : 'FAILED', f.machine, f.check, figure(f.deviation), figure(f.allowed), f.unit]),
          ),
          `${flags.report}: ${facts.filter(({ passed }) => passed).length} of ${facts.length} checks hold`,
        ].join('\n'),
      );
      if (facts.some(({ passed }) => !passed)) process.exitCode = 1;
    });
}

/** Writes as fast as the reader reads, and lets signals through in between. @returns how many rows; fewer when it was ended. */
async function writeRows(to: Writable, header: string, rows: Iterable<string>, signal: AbortSignal): Promise<number> {
  let written = 0;
  let chunk = `${header}\n`;
  for (const row of rows) {
    chunk += `${row}\n`;
    if (++written % ROWS_AT_ONCE !== 0) continue;
    if (!to.write(chunk)) await once(to, 'drain');
    else await nextTurn();
    if (signal.aborted) return written;
    chunk = '';
  }
  to.write(chunk);
  return written;
}

/** Makes sure that a result can be written, before it is worked for. @throws FileInvalid */
function reserve(file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
    writeFileSync(`${file}.part`, '');
  } catch (error) {
    throw new FileInvalid(`${file} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

/** Whole, or not there. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}

function number(flag: string, text: string, min: number, max: number): number {
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${flag} ${text} is no number within ${min}..${max}`);
}

const numbers = (flag: string, text: string, min: number, max: number): number[] =>
  text.split(',').map((part) => number(flag, part, min, max));
