/** What the machines of the library sense, for readers of files that hold only their columns. */
import type { Machine } from '../actors/contracts/channels.ts';
import { twinBacking } from './backing.ts';
import { machines, type TwinMachine, windOf } from './library/machines.ts';
import { createRng } from './rng.ts';

/** A machine as its readers need to know it. */
export const sensedBy = (machine: TwinMachine): Machine => ({
  name: machine.name,
  channels: twinBacking({ things: [], rng: createRng(0), machine, wind: windOf(machine) }).channels,
});

export const sensedMachines = (): readonly Machine[] => machines.map(sensedBy);
