/** The source of a model's windows. Which way they are made belongs to its package, so champion and challenger each have their own. */
import type { Channel } from '../contracts/channels.ts';
import type { SignalSpec } from '../contracts/model.ts';
import { refuseSignal } from './resolve.ts';
import { seedSource } from './seed-source.ts';
import { streamSource } from './stream-source.ts';
import type { WindowSource } from './window-source.ts';

/** @throws ModelRejected naming the pipeline, operation, channel or constant that is not there. */
export function openWindowSource(spec: SignalSpec, channels: readonly Channel[], rows: number): WindowSource {
  const { pipeline } = spec;
  switch (pipeline) {
    case 'stream':
      return streamSource(spec, channels, rows);
    case 'seed-db6':
      return seedSource(spec, channels, rows);
    default:
      return refuseSignal(`pipeline ${pipeline satisfies never} is not one that this device has`);
  }
}
