/** The data plane `iotdata`: shadows, publications, retained messages. Payloads are bytes as they are. */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { Bus, Broker, RetainedMessage } from '../../../actors/contracts/bus.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import type { IotAction, JsonObject, Policies, Registry, Shadows } from '../../things/ports.ts';
import { AwsFailure } from '../failure.ts';
import type { Plane } from '../front.ts';
import { operation } from '../operation.ts';
import { QueryBool, queryInt, RegistryName, wholeSeconds } from '../shapes.ts';

export interface IotDataServices {
  readonly registry: Registry;
  readonly shadows: Shadows;
  readonly policies: Policies;
  readonly broker: Pick<Broker, 'retained'>;
  /** What is published goes out by it. */
  readonly bus: Bus;
  /** Epoch milliseconds of the service's time. */
  readonly now: () => Millis;
}

const USUAL = [
  'InvalidRequestException',
  'ThrottlingException',
  'UnauthorizedException',
  'InternalFailureException',
  'MethodNotAllowedException',
] as const;
const ERRORS = [...USUAL, 'ServiceUnavailableException'] as const;
const SHADOW_ERRORS = [...ERRORS, 'UnsupportedDocumentEncodingException'] as const;

const MESSAGE_LIMIT = 128 * 1024; // AWS IoT: bytes of a publication
const SHADOW_LIMIT = 16 * 1024; // 8 kB of state, and what is around it; the shadow service counts exactly
const TOPIC_LIMIT = 256; // AWS IoT: bytes of a topic
const TOPIC_SLASHES = 7; // AWS IoT: those after `$aws/rules/<rule>/` do not count

const OfShadow = z.object({ thingName: RegistryName });
const ShadowNamed = z.object({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9:_-]{1,64}$/, '1 to 64 of [a-zA-Z0-9:_-]')
    .optional(),
});
const OfTopic = z.object({ topic: z.string() });

export function iotDataPlane({ registry, shadows, policies, broker, bus, now }: IotDataServices): Plane {
  return {
    name: 'iotdata',
    scopes: ['iotdata', 'iotdevicegateway'],
    byCertificate: true,
    contentType: 'application/json',
    throttledStatus: 429,
    allows(caller, { name }, { path, query }) {
      const may = (action: IotAction, resource: string) => policies.mayDo(caller, action, resource);
      switch (name) {
        case 'Publish':
          return (
            may('iot:Publish', path['topic']) && (/^(false)?$/i.test(query['retain'] ?? '') || may('iot:RetainPublish', path['topic']))
          );
        case 'GetRetainedMessage':
          return may('iot:GetRetainedMessage', path['topic']);
        case 'ListRetainedMessages':
          return may('iot:ListRetainedMessages', '*');
        default:
          return may(`iot:${name}` as IotAction, path['thingName']);
      }
    },
    operations: [
      operation(
        'Publish',
        'POST /topics/{topic+}',
        {
          path: OfTopic,
          query: z.object({
            qos: queryInt(0, 1).optional(),
            retain: QueryBool.optional(),
            contentType: z.string().optional(),
            responseTopic: z.string().optional(),
            messageExpiry: queryInt(0, Number.MAX_SAFE_INTEGER).optional(),
          }),
          body: 'blob',
          bodyLimit: MESSAGE_LIMIT,
          errors: USUAL,
        },
        async ({ topic, qos = 0, retain = false, payload }) => {
          checkTopic(topic);
          if (retain && topic.startsWith('$'))
            throw new AwsFailure('InvalidRequestException', 'what is on a reserved topic is not retained');
          await bus.publish(topic, payload, { qos: qos === 1 ? 1 : 0, retain });
        },
      ),
      operation(
        'GetRetainedMessage',
        'GET /retainedMessage/{topic+}',
        { path: OfTopic, errors: [...ERRORS, 'ResourceNotFoundException'] },
        ({ topic }) => {
          checkTopic(topic);
          const message = find(broker.retained(), topic);
          if (!message) throw new AwsFailure('ResourceNotFoundException', 'no message is retained on this topic');
          return {
            topic,
            payload: Buffer.from(message.payload).toString('base64'),
            qos: message.qos,
            lastModifiedTime: message.at,
          };
        },
      ),
      operation(
        'ListRetainedMessages',
        'GET /retainedMessage',
        { query: z.object({ nextToken: z.string().optional(), maxResults: queryInt(1, 200).optional() }), errors: ERRORS },
        ({ nextToken, maxResults }, { pages }) => {
          const all = [...broker.retained()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
          const page = pages.cut(['ListRetainedMessages'], all, ({ topic }) => topic, { limit: maxResults ?? 200, token: nextToken });
          return {
            retainedTopics: page.items.map(({ topic, payload, qos, at }) => ({
              topic,
              payloadSize: payload.length,
              qos,
              lastModifiedTime: at,
            })),
            nextToken: page.token,
          };
        },
      ),
      operation(
        'GetThingShadow',
        'GET /things/{thingName}/shadow',
        { path: OfShadow, query: ShadowNamed, errors: [...SHADOW_ERRORS, 'ResourceNotFoundException'] },
        ({ thingName, name }) => shadows.get(thingName, name ?? null),
      ),
      operation(
        'UpdateThingShadow',
        'POST /things/{thingName}/shadow',
        {
          path: OfShadow,
          query: ShadowNamed,
          body: 'blob',
          bodyLimit: SHADOW_LIMIT,
          errors: [...SHADOW_ERRORS, 'ConflictException', 'RequestEntityTooLargeException'],
        },
        ({ thingName, name, payload }): Promise<JsonObject> => shadows.update(thingName, name ?? null, utf8(payload)),
      ),
      operation(
        'DeleteThingShadow',
        'DELETE /things/{thingName}/shadow',
        { path: OfShadow, query: ShadowNamed, errors: [...SHADOW_ERRORS, 'ResourceNotFoundException'] },
        ({ thingName, name }) => shadows.remove(thingName, name ?? null),
      ),
      operation(
        'ListNamedShadowsForThing',
        'GET /api/things/shadow/ListNamedShadowsForThing/{thingName}',
        {
          path: OfShadow,
          query: z.object({ nextToken: z.string().optional(), pageSize: queryInt(1, 100).optional() }),
          errors: [...ERRORS, 'ResourceNotFoundException'],
        },
        ({ thingName, nextToken, pageSize }, { pages }) => {
          registry.describe(thingName);
          const page = pages.cut(['ListNamedShadowsForThing', thingName], shadows.named(thingName), (name) => name, {
            limit: pageSize ?? 25,
            token: nextToken,
          });
          return { results: page.items, nextToken: page.token, timestamp: wholeSeconds(now()) };
        },
      ),
    ],
  };
}

function find(messages: Iterable<RetainedMessage>, topic: string): RetainedMessage | null {
  for (const message of messages) if (message.topic === topic) return message;
  return null;
}

/** @throws AwsFailure UnsupportedDocumentEncodingException */
function utf8(payload: Uint8Array): Uint8Array {
  if (!isUtf8(payload)) throw new AwsFailure('UnsupportedDocumentEncodingException', 'the document is not in UTF-8');
  return payload;
}

/** @throws AwsFailure InvalidRequestException */
function checkTopic(topic: string): void {
  const wrong = (why: string) => new AwsFailure('InvalidRequestException', `the topic ${why}`);
  if (topic === '') throw wrong('is empty');
  if (/[+#\0]/.test(topic)) throw wrong('holds a wildcard or a null character');
  if (Buffer.byteLength(topic) > TOPIC_LIMIT) throw wrong(`is longer than ${TOPIC_LIMIT} bytes`);
  if (topic.replace(/^\$aws\/rules\/[^/]*\//, '').split('/').length - 1 > TOPIC_SLASHES)
    throw wrong(`has more than ${TOPIC_SLASHES} slashes`);
}
