/**
 * Power cuts: a device is gone at one instant, its actor and all that it held in memory with it, and boots again later from its disk.
 *
 * A cut that waits for a stage of an update comes when the device enters it or at one of its first writes there, by chance; a stage that
 * is left before that ends with the cut.
 */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { Disk } from '../../actors/contracts/disk.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import { type BootDisk, bootDisk } from './disk.ts';

/** What switches devices. */
export interface Switch {
  halt(thing: ThingName): Promise<void>;
  boot(thing: ThingName): Promise<void>;
}

export interface Power {
  /** The disk of a device's next boot. */
  disk(thing: ThingName, disk: Disk): Disk;
  /** What the device has said of its update; null: none runs. */
  heard(thing: ThingName, stage: string | null): void;
  /** @param cut called when it happens */
  cutAt(thing: ThingName, stage: string, label: string, cut: () => void): void;
  /** Ends a device now, or forgets a cut that has not come yet. */
  cut(thing: ThingName): void;
  forget(thing: ThingName): void;
  /** @param booted called when it runs again */
  restore(thing: ThingName, booted: () => void): void;
  isOn(thing: ThingName): boolean;
  full(thing: ThingName, isFull: boolean): void;
  /** Throws what a halt or a boot threw: a defect. */
  assertWhole(): void;
}

interface Plan {
  readonly stage: string;
  /** Writes in the stage that are still let through; 0 is at once. */
  writes: number;
  readonly isApplied: boolean;
  readonly cut: () => void;
}

const WRITES = 3; // of a stage, among which the cut falls

/** @param devices asked when a cut comes, which is after the world has been built */
export function createPower(clock: Clock, rng: Rng, devices: () => Switch): Power {
  const plans = new Map<ThingName, Plan>();
  const stages = new Map<ThingName, string | null>();
  const disks = new Map<ThingName, BootDisk>();
  const off = new Set<ThingName>();
  const full = new Set<ThingName>();
  let defect: unknown = null;

  const fail = (error: unknown) => {
    defect ??= error;
  };
  const cut = (thing: ThingName) => {
    if (off.has(thing)) return;
    off.add(thing);
    disks.get(thing)?.sever();
    const plan = plans.get(thing);
    plans.delete(thing);
    // Out of the call that it came in: an actor cannot be ended from within its own step.
    clock.setTimeout(() => {
      devices()
        .halt(thing)
        .then(() => plan?.cut(), fail);
    }, 0);
  };

  return {
    disk(thing, disk) {
      const boot = bootDisk(disk, {
        isFull: () => full.has(thing),
        beforeWrite() {
          const plan = plans.get(thing);
          if (!plan || stages.get(thing) !== plan.stage || plan.writes-- > 1) return 'go on';
          cut(thing);
          return { cut: plan.isApplied ? 'after' : 'before' };
        },
      });
      disks.set(thing, boot);
      stages.delete(thing);
      return boot.disk;
    },
    heard(thing, stage) {
      if (off.has(thing)) return;
      const before = stages.get(thing) ?? null;
      stages.set(thing, stage);
      const plan = plans.get(thing);
      if (plan && ((stage === plan.stage && plan.writes === 0) || (before === plan.stage && stage !== before))) cut(thing);
    },
    cutAt(thing, stage, label, happened) {
      const chance = rng.fork(`power ${thing} ${label}`);
      plans.set(thing, { stage, writes: Math.floor(WRITES * chance.uniform(0)), isApplied: chance.uniform(1) < 0.5, cut: happened });
      const plan = plans.get(thing)!;
      if (stages.get(thing) === stage && plan.writes === 0) cut(thing);
    },
    cut,
    forget: (thing) => void plans.delete(thing),
    restore(thing, booted) {
      if (!off.delete(thing)) return;
      // Loading takes the machine's time and not the fleet's: the fleet's stands still for it.
      clock.until(clock.now(), devices().boot(thing)).then(booted, fail);
    },
    isOn: (thing) => !off.has(thing),
    full(thing, isFull) {
      if (isFull) full.add(thing);
      else full.delete(thing);
    },
    assertWhole() {
      if (defect !== null) throw defect;
    },
  };
}
