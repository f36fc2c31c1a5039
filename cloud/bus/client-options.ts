/** How a client of an outside broker connects, whatever library carries it. */
import { RemoteRefused, reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';

/** PEM: what a thing shows, and the CA that the broker's certificate must come from. */
export interface ClientTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface ClientOptions {
  readonly clientId: string;
  readonly log: Log;
  /** MQTT 3.1.1 (4, the default) or 5. */
  readonly version?: 4 | 5;
  /** `kept`: the broker holds the subscriptions and QoS 1 messages while the connection is gone. Default: `fresh`. */
  readonly session?: 'kept' | 'fresh';
  /** Until the next try after a lost connection; default 1 s. AWS's client for 3.1.1 counts in whole seconds. */
  readonly reconnectMs?: number;
  /** Published by the broker when the connection is lost without a word. */
  readonly will?: { readonly topic: string; readonly payload: string; readonly qos: 0 | 1; readonly retain: boolean };
}

export const CONNECT_TIMEOUT_MS = 5_000;
export const RECONNECT_MS = 1_000;
export const SESSION_S = 3_600;

/** QoS 1 publications that wait for a connection or a PUBACK; the next is refused. */
export const MAX_WAITING = 10_000;

/** Why a broker could not be reached, with the mend. */
export function unreachable(address: string, error: unknown): RemoteRefused {
  const reason = reasonOf(error) || (error as { code?: string }).code || 'no reason given';
  return new RemoteRefused(`no MQTT broker answers at ${address}: ${reason}`, {
    cause: error,
    hint: hintFor(reason, (error as { code?: string }).code ?? ''),
  });
}

function hintFor(reason: string, code: string): string {
  const said = `${reason} ${code}`;
  // AWS's client for 3.1.1 calls every refused CONNECT a protocol error.
  if (/AWS_ERROR_MQTT_PROTOCOL_ERROR|not authorized|not.?authori[sz]ed|refused: (identifier|bad)/i.test(said))
    return 'the client id must be the name of the thing, its certificate active, and a policy must allow iot:Connect';
  if (/certificate|self.signed|TLS|SSL|ALERT|altname|negotiation/i.test(said))
    return 'check the certificate, its key and the CA: they must come from this cloud (windfleet things create makes them)';
  return 'start the farm or the cloud first, or name its address with --cloud';
}
