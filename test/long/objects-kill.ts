/** `kill -9` at 200 instants of puts of objects: four at a time, in chunks and whole. */
import { killPuts } from '../kit/kill-puts.ts';
import type { Lane } from './main.ts';

export const lane: Lane = async (say) => {
  say('a process puts four objects at a time and is killed, 200 times');
  const { durable, leftovers } = await killPuts(200);
  return [`200 kills, ${4 * durable} durable puts, ${leftovers} half-written files swept; none lost, none half-written`];
};
