/**
 * Healthy twins to train on, a turbine after the other, each in a wind of its own: gusts, stops and starts, and derated for a while now
 * and then. The same every time, so that a preparation may hear it as often as it likes without anyone holding it.
 */
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import type { SampleHearer } from '../../cloud/studio/samples.ts';
import { twinBacking } from '../../twins/backing.ts';
import type { TwinMachine } from '../../twins/library/machines.ts';
import { createRng } from '../../twins/rng.ts';
import type { WindEvent } from '../../twins/wind/field.ts';

export interface HealthySpec {
  readonly machine: TwinMachine;
  readonly seed: number;
  readonly turbines: number;
  readonly minutes: number;
  readonly meanMps: readonly [low: number, high: number];
  readonly turbulenceIntensity: readonly [low: number, high: number];
  /** Fractions to which it is derated. */
  readonly derated: readonly [low: number, high: number];
}

const STEP_MS = 50;
const MINUTE_MS = 60_000;
const DERATE_EVERY_MINUTES = 2;
const DERATED_SHARE = 0.15;

export const healthyThings = ({ seed, turbines }: HealthySpec) => Array.from({ length: turbines }, (_, i) => `H-${seed}-${i}`);

export function hearHealthy(spec: HealthySpec, hear: SampleHearer): void {
  const { machine, seed, minutes, meanMps, turbulenceIntensity, derated } = spec;
  for (const [row, thing] of healthyThings(spec).entries()) {
    const rng = createRng(seed + row);
    const chance = rng.fork('healthy fleet');
    const between = ([low, high]: readonly [number, number], step: number) => low + (high - low) * chance.uniform(step);
    const end = minutes * MINUTE_MS;
    const events: WindEvent[] = Array.from({ length: Math.floor(minutes / 10) }, (_, k) => ({
      kind: 'gust',
      at: STEP_MS * Math.floor((chance.uniform(100 + k) * end) / STEP_MS),
    }));
    const wind = { meanMps: between(meanMps, 1), turbulenceIntensity: between(turbulenceIntensity, 2), events };
    const backing = twinBacking({ things: [thing], rng, machine, wind });
    const block = createSampleBlock(backing.channels, 1);
    let stopAt = between([5, 20], 3) * MINUTE_MS;
    let startAt = Number.POSITIVE_INFINITY;
    for (let now = STEP_MS, stops = 0; now <= end; now += STEP_MS) {
      if (now >= stopAt) {
        backing.command(0, { type: 'stop' });
        startAt = stopAt + between([0.5, 2.5], 1_000 + stops++) * MINUTE_MS;
        stopAt = Number.POSITIVE_INFINITY;
      } else if (now >= startAt) {
        backing.command(0, { type: 'start' });
        stopAt = startAt + between([10, 30], 2_000 + stops) * MINUTE_MS;
        startAt = Number.POSITIVE_INFINITY;
      }
      if (now % (DERATE_EVERY_MINUTES * MINUTE_MS) === 0)
        backing.command(0, { type: 'derate', fraction: chance.uniform(10_000 + now) < DERATED_SHARE ? between(derated, 10_001 + now) : 1 });
      backing.advance(now);
      backing.sample(block);
      hear(row, now, block.values, 0);
    }
  }
}
