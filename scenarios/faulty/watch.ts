/**
 * Probes for invariants: at the port that loads models, where a device's messages leave it, where its updates act, and at what the cloud
 * shows. They pass everything on as it is, in the same instant.
 */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { EnergyAccount } from '../../actors/contracts/energy.ts';
import type { FleetView, Lamp, TurbineView } from '../../actors/contracts/fleet-view.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Engine, Inference } from '../../actors/contracts/inference.ts';
import type { StateReport, VerdictReport } from '../../actors/contracts/telemetry.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { DeviceDeed, DeviceWord, ModelSession, Sighting, Witness } from '../witness.ts';

export interface Watch {
  /** What a device loads its models with. */
  engine(thing: ThingName, engine: Engine): Engine;
  deed(thing: ThingName, deed: DeviceDeed['deed']): void;
  /** A message of `windfleet/<thing>/<kind>`, as it leaves the device. */
  said(thing: ThingName, kind: string, payload: string | Uint8Array): void;
  /** Looks at what the cloud shows from now on. */
  lookAt(view: FleetView): void;
  /** Adds what is only known at the end. */
  know(facts: Pick<Witness, 'grants' | 'energy'>): void;
  /** All so far. */
  witness(): Witness;
}

export interface WatchOptions {
  readonly clock: Clock;
  /** Whether a trusted key has signed a package, by its files. */
  readonly isTrusted: (files: ReadonlyMap<string, Uint8Array>) => boolean;
  /** What the console shows for a turbine. */
  readonly lampOf: (turbine: TurbineView) => Lamp;
}

export function createWatch({ clock, isTrusted, lampOf }: WatchOptions): Watch {
  const sessions: { -readonly [key in keyof ModelSession]: ModelSession[key] }[] = [];
  const deeds: DeviceDeed[] = [];
  const words: DeviceWord[] = [];
  const sightings: Sighting[] = [];
  let grants: Witness['grants'] = new Map();
  let energy: ReadonlyMap<ThingName, EnergyAccount> = new Map();

  return {
    engine: (thing, engine) => ({
      async load(manifest, network, golden, files) {
        const inference = await engine.load(manifest, network, golden, files);
        const session = {
          thing,
          model: inference.model,
          openedAt: clock.now(),
          closedAt: null as Millis | null,
          isTrusted: files !== undefined && isTrusted(files),
        };
        sessions.push(session);
        return {
          ...inference,
          close(): Promise<void> {
            session.closedAt ??= clock.now();
            return inference.close();
          },
        } satisfies Inference;
      },
    }),
    deed: (thing, deed) => void deeds.push({ thing, at: clock.now(), deed }),
    said(thing, kind, payload) {
      const at = clock.now();
      if (kind === 'state') {
        const { model } = read<StateReport>(payload);
        words.push({ thing, at, word: 'state', model });
      } else if (kind === 'verdict') {
        const { model, at: dated, announced, worst } = read<VerdictReport>(payload);
        words.push({ thing, at, word: 'verdict', model, dated, announced, worst });
      }
    },
    lookAt(view) {
      const seen = new Map<ThingName, string | null>(); // the alarm that stood
      view.onChange((event) => {
        if (event.kind !== 'turbine') return;
        const { thing, alarm } = event.turbine;
        const before = seen.get(thing);
        const now = alarm?.id ?? null;
        if (before === now) return;
        seen.set(thing, now);
        const shown = view.turbine(thing) ?? event.turbine;
        sightings.push({
          thing,
          at: clock.now(),
          dated: shown.alarm?.at ?? null,
          turbine: shown.alarm?.feature ?? null,
          alarm: view.alarms().find((one) => one.thing === thing && one.clearedAt === null)?.feature ?? null,
          lamp: lampOf(shown).feature,
        });
      });
    },
    know(facts) {
      grants = facts.grants;
      energy = facts.energy;
    },
    witness: () => ({ sessions, deeds, words, sightings, grants, energy }),
  };
}

const read = <Report>(payload: string | Uint8Array): Report =>
  JSON.parse(typeof payload === 'string' ? payload : Buffer.from(payload).toString('utf8')) as Report;
