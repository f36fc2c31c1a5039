/** Lines from a serial port, for as long as it is there; a port that goes is opened again when it comes back. */
import type { Clock } from '../../actors/contracts/clock.ts';
import { sleep } from '../../actors/contracts/clock.ts';
import { EnvironmentLacking, reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import { linesOf } from './line-source.ts';

export interface SerialOptions {
  /** `/dev/ttyUSB0` */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

const BAUD = 115_200;
const REOPEN_MS = 1_000;

export interface SerialLines {
  (signal: AbortSignal): AsyncIterable<string>;
  /** For who will not read after all: an open port keeps the process. */
  close(): void;
}

/** @throws EnvironmentLacking when the port is not there at the start. */
export async function serialLines({ path, clock, log }: SerialOptions): Promise<SerialLines> {
  const open = await openPort(path);
  const read = async function* (signal: AbortSignal) {
    let port: Awaited<ReturnType<typeof openPort>> | null = open;
    while (!signal.aborted) {
      if (port) {
        const closing = port;
        const close = () => closePort(closing);
        signal.addEventListener('abort', close, { once: true });
        try {
          yield* linesOf(port);
        } catch (error) {
          if (!signal.aborted) log.warn({ path, reason: reasonOf(error) }, 'the serial port failed');
        } finally {
          signal.removeEventListener('abort', close);
          closePort(port);
        }
      }
      if (signal.aborted) return;
      await sleep(clock, REOPEN_MS);
      port = await openPort(path).catch(() => null);
      if (port) log.info({ path }, 'the serial port is back');
    }
  };
  return Object.assign(read, { close: () => closePort(open) });
}

async function openPort(path: string) {
  const { SerialPort } = await import('serialport');
  const port = new SerialPort({ path, baudRate: BAUD, autoOpen: false });
  await new Promise<void>((opened, failed) => port.open((error) => (error ? failed(error) : opened()))).catch((error: unknown) => {
    throw new EnvironmentLacking(`serial port ${path} cannot be opened: ${reasonOf(error)}`, {
      cause: error,
      hint: 'ls /dev/ttyUSB* /dev/ttyACM* shows what there is; reading one wants membership in the group dialout',
    });
  });
  return port;
}

/** Destroying the stream alone would leave the device open, and with it the process alive for a minute. */
function closePort(port: Awaited<ReturnType<typeof openPort>>): void {
  if (port.isOpen) port.close(() => {}); // what is amiss with a port that is given up concerns nobody
  port.destroy();
}
