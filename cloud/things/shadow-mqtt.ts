/**
 * Device shadows over MQTT: requests on the reserved topics, `accepted` or `rejected` to the client that asked and to nobody else;
 * `update/delta` and `update/documents` to whoever listens.
 */
import type { Broker } from '../../actors/contracts/bus.ts';
import { reasonOf, ThingRefused } from '../../actors/contracts/errors.ts';
import { isThingName, type ThingName } from '../../actors/contracts/ids.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { JsonObject } from './ports.ts';
import { parsePayload, type ShadowService, tokenOf } from './shadows.ts';

export const SHADOW_TOPICS = '$aws/things/+/shadow/#';

export interface ShadowRequest {
  readonly thing: ThingName;
  /** Null: the classic one. */
  readonly shadow: string | null;
  readonly operation: 'get' | 'update' | 'delete';
}

/** AWS IoT's codes of `rejected`. */
const CODES: Readonly<Record<string, number>> = {
  InvalidRequest: 400,
  Unauthorized: 401,
  ResourceNotFound: 404,
  Conflict: 409,
  RequestEntityTooLarge: 413,
  UnsupportedDocumentEncoding: 415,
};

export function serveShadows(broker: Broker, shadows: ShadowService, now: () => number, log: Log): void {
  const operate = async ({ thing, shadow, operation }: ShadowRequest, payload: Uint8Array): Promise<JsonObject> => {
    switch (operation) {
      case 'get': {
        const clientToken = payload.length === 0 ? undefined : tokenOf(parsePayload(payload));
        return { ...shadows.get(thing, shadow), ...(clientToken === undefined ? {} : { clientToken }) };
      }
      case 'update':
        return shadows.update(thing, shadow, payload);
      case 'delete':
        return shadows.remove(thing, shadow, payload);
    }
  };

  const serve = async (topic: string, payload: Uint8Array, client: string) => {
    const request = parseShadowTopic(topic);
    if (!request) {
      log.debug({ topic, client }, 'a publication on a topic of shadows that is no operation was dropped');
      return;
    }
    try {
      broker.reply(client, `${topic}/accepted`, JSON.stringify(await operate(request, payload)));
    } catch (error) {
      if (!(error instanceof ThingRefused)) log.error({ topic, reason: reasonOf(error) }, 'a shadow request failed');
      const code = error instanceof ThingRefused ? (CODES[error.reason] ?? 400) : 500;
      const message = error instanceof ThingRefused ? error.message : 'Internal service failure';
      const body = { code, message, timestamp: Math.floor(now() / 1_000), ...tokenIfAny(payload) };
      broker.reply(client, `${topic}/rejected`, JSON.stringify(body));
    }
  };
  broker.reserve(SHADOW_TOPICS, ({ topic, payload }, client) => serve(topic, payload, client));

  const send = (topic: string, body: JsonObject) => {
    broker
      .announce(topic, JSON.stringify(body))
      .catch((error: unknown) => log.warn({ topic, reason: reasonOf(error) }, 'a notification of a shadow was lost'));
  };
  shadows.onUpdated(({ thing, shadow, delta, documents }) => {
    if (delta) send(shadowTopic(thing, shadow, 'update/delta'), delta);
    send(shadowTopic(thing, shadow, 'update/documents'), documents);
  });
}

export const shadowTopic = (thing: ThingName, shadow: string | null, rest: string): string =>
  `$aws/things/${thing}/shadow/${shadow === null ? '' : `name/${shadow}/`}${rest}`;

/** Null for a topic that is no operation. */
export function parseShadowTopic(topic: string): ShadowRequest | null {
  const match = /^\$aws\/things\/([^/]+)\/shadow(?:\/name\/([^/]+))?\/(get|update|delete)$/.exec(topic);
  if (!match || !isThingName(match[1])) return null;
  return { thing: match[1], shadow: match[2] ?? null, operation: match[3] as ShadowRequest['operation'] };
}

/** Of a request that was refused, if it can be read at all. */
function tokenIfAny(payload: Uint8Array): { readonly clientToken?: string } {
  try {
    const clientToken = tokenOf(parsePayload(payload));
    return clientToken === undefined ? {} : { clientToken };
  } catch {
    return {}; // that is why it was refused
  }
}
