/** The agent's log in the shape of the original's: `{"version":"0.1.0"}[2020-12-15T10:42:01.531][I] text`. */
import { type Clock, isoDate } from '../../actors/contracts/clock.ts';
import type { Log } from '../../actors/contracts/log.ts';

/** @param isVerbose whether debug lines are written too */
export function agentLog(write: (line: string) => void, clock: Clock, version: string, isVerbose: boolean): Log {
  const head = JSON.stringify({ version });
  const line = (level: string) => (fields: object, message: string) => {
    const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    write(`${head}[${isoDate(clock).replace('Z', '')}][${level}] ${message}${facts.join('')}`);
  };
  return { debug: isVerbose ? line('D') : () => {}, info: line('I'), warn: line('W'), error: line('E') };
}
