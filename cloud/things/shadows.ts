/**
 * Device shadows, classic and named: kept whole in memory and on disk before anyone hears of an update. A deleted shadow leaves
 * its version behind, so that the next one of its name goes on from there.
 */
import { reasonOf, ThingRefused } from '../../actors/contracts/errors.ts';
import { isThingName, type ThingName } from '../../actors/contracts/ids.ts';
import type { Documents } from './documents.ts';
import { invalid, shown } from './names.ts';
import type { Json, JsonObject, Registry, Shadows } from './ports.ts';
import { checkSection, deltaOf, halves, isObject, isTooLarge, mergeSection, type ShadowDocument } from './shadow-document.ts';

const LARGEST_PAYLOAD = 128 * 1024; // AWS IoT: a publication
const DEEPEST_PAYLOAD = 16; // beyond any section's depth; what is deeper is not parsed at all
const MOST_NAMED = 1_000; // of a thing: a device could otherwise fill the memory
const SHADOW_NAME = /^[$a-zA-Z0-9:_-]{1,64}$/;

/** What follows an update, for whoever listens. */
export interface ShadowUpdated {
  readonly thing: ThingName;
  readonly shadow: string | null;
  /** The payload of `update/delta`; null when desired and reported agree. */
  readonly delta: JsonObject | null;
  /** The payload of `update/documents`. */
  readonly documents: JsonObject;
}

export interface ShadowService extends Shadows {
  onUpdated(heard: (update: ShadowUpdated) => void): void;
}

export interface ShadowTools {
  readonly documents: Documents;
  readonly now: () => number;
  readonly registry: Pick<Registry, 'has'>;
}

interface StoredShadow extends ShadowDocument {
  readonly thing: ThingName;
  readonly shadow: string | null;
  readonly isDeleted: boolean;
}

export function openShadows({ documents, now, registry }: ShadowTools): ShadowService {
  const stored = documents.collection<StoredShadow>('shadow');
  const namesOf = new Map<ThingName, Set<string>>();
  const hearers: ((update: ShadowUpdated) => void)[] = [];
  const link = ({ thing, shadow, isDeleted }: StoredShadow) => {
    if (shadow === null) return;
    const names = namesOf.get(thing) ?? new Set();
    isDeleted ? names.delete(shadow) : names.add(shadow);
    names.size === 0 ? namesOf.delete(thing) : namesOf.set(thing, names);
  };
  const index = () => {
    namesOf.clear();
    for (const one of stored.values()) link(one);
  };
  documents.onReload(index);
  index();

  const seconds = () => Math.floor(now() / 1_000);
  const keyOf = (thing: ThingName, shadow: string | null) => {
    if (!isThingName(thing)) throw invalid(`${shown(thing)} is no name of a thing`);
    if (shadow !== null && !SHADOW_NAME.test(shadow))
      throw invalid(`${shown(shadow)} is no name of a shadow: 1 to 64 of letters, digits, $ : _ -`);
    return `${thing}/${shadow ?? ''}`; // neither name may have a slash
  };
  const present = (thing: ThingName, shadow: string | null): StoredShadow => {
    const found = stored.get(keyOf(thing, shadow));
    if (!found || found.isDeleted) throw new ThingRefused('ResourceNotFound', `No shadow exists with name: '${shadow ?? thing}'`);
    return found;
  };
  const put = (document: StoredShadow) => {
    stored.put(keyOf(document.thing, document.shadow), document);
    link(document);
  };

  return {
    get(thing, shadow) {
      const document = present(thing, shadow);
      const delta = deltaOf(document);
      return {
        state: { ...halves(document, 'state'), ...(delta ? { delta: delta.state } : {}) },
        metadata: halves(document, 'metadata'),
        version: document.version,
        timestamp: seconds(),
      };
    },
    async update(thing, shadow, payload) {
      const key = keyOf(thing, shadow);
      const body = parsePayload(payload);
      const clientToken = tokenOf(body);
      const { state, version } = body;
      if (state === undefined) throw invalid('Missing required node: state');
      if (!isObject(state)) throw invalid('State node must be an object');
      const stranger = Object.keys(state).find((name) => name !== 'desired' && name !== 'reported');
      if (stranger !== undefined) throw invalid(`State contains an invalid node: '${stranger.slice(0, 64)}'`);
      if (version !== undefined && !(typeof version === 'number' && Number.isSafeInteger(version) && version >= 0))
        throw invalid('Invalid version');
      checkSection('desired', state['desired']);
      checkSection('reported', state['reported']);

      const entry = stored.get(key);
      const before = entry && !entry.isDeleted ? entry : null;
      if (version !== undefined && version !== (before?.version ?? 0)) throw new ThingRefused('Conflict', 'Version conflict');
      if (!before && shadow !== null && (namesOf.get(thing)?.size ?? 0) >= MOST_NAMED)
        throw invalid(`thing ${thing} has ${MOST_NAMED} named shadows already`);
      const timestamp = seconds();
      const after: StoredShadow = {
        thing,
        shadow,
        desired: mergeSection(before?.desired ?? null, state['desired'], timestamp),
        reported: mergeSection(before?.reported ?? null, state['reported'], timestamp),
        version: (entry?.version ?? 0) + 1,
        timestamp,
        isDeleted: false,
      };
      if (isTooLarge(after)) throw new ThingRefused('RequestEntityTooLarge', 'The payload exceeds the maximum size allowed');
      put(after);
      await documents.saved();

      const token = clientToken === undefined ? {} : { clientToken };
      const delta = deltaOf(after);
      const update: ShadowUpdated = {
        thing,
        shadow,
        delta: delta && { version: after.version, timestamp, ...delta, ...token },
        documents: { ...(before ? { previous: whole(before) } : {}), current: whole(after), timestamp, ...token },
      };
      for (const heard of hearers) heard(update);
      const stamps = (of: 'desired' | 'reported') => picked(after[of]?.metadata ?? {}, state[of]);
      return {
        state,
        metadata: {
          ...('desired' in state ? { desired: stamps('desired') } : {}),
          ...('reported' in state ? { reported: stamps('reported') } : {}),
        },
        version: after.version,
        timestamp,
        ...token,
      };
    },
    async remove(thing, shadow, payload = new Uint8Array()) {
      const clientToken = payload.length === 0 ? undefined : tokenOf(parsePayload(payload));
      const document = present(thing, shadow);
      put({ ...document, desired: null, reported: null, isDeleted: true });
      await documents.saved();
      return { version: document.version, timestamp: seconds(), ...(clientToken === undefined ? {} : { clientToken }) };
    },
    named(thing) {
      const names = namesOf.get(thing);
      if (!names && !registry.has(thing) && !stored.has(`${thing}/`))
        throw new ThingRefused('ResourceNotFound', `there is no thing ${shown(thing)}`);
      return [...(names ?? [])].sort();
    },
    onUpdated: (heard) => {
      hearers.push(heard);
    },
  };
}

const whole = (document: ShadowDocument): JsonObject => ({
  state: halves(document, 'state'),
  metadata: halves(document, 'metadata'),
  version: document.version,
});

/** The metadata of what an update named; nothing of what it removed. */
function picked(metadata: JsonObject, patch: Json | undefined): JsonObject {
  if (!isObject(patch)) return {};
  return Object.fromEntries(
    Object.entries(patch)
      .filter(([key]) => Object.hasOwn(metadata, key))
      .map(([key, value]) => {
        const stamp = metadata[key];
        return [key, isObject(value) && isObject(stamp) ? picked(stamp, value) : stamp];
      }),
  );
}

/** @throws ThingRefused RequestEntityTooLarge, UnsupportedDocumentEncoding, InvalidRequest */
export function parsePayload(payload: Uint8Array): JsonObject {
  if (payload.length > LARGEST_PAYLOAD) throw new ThingRefused('RequestEntityTooLarge', 'The payload exceeds the maximum size allowed');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch (error) {
    throw new ThingRefused('UnsupportedDocumentEncoding', 'Unsupported documented encoding; supported encoding is UTF-8', { cause: error });
  }
  if (isDeeper(text, DEEPEST_PAYLOAD)) throw invalid('JSON contains too many levels of nesting; maximum is 8');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new ThingRefused('InvalidRequest', 'Payload contains invalid json', { cause: reasonOf(error) });
  }
  if (!isObject(value)) throw invalid('Payload contains invalid json: it is no object');
  return value;
}

/** @throws ThingRefused InvalidRequest. AWS IoT: at most 64 bytes. */
export function tokenOf({ clientToken }: JsonObject): string | undefined {
  if (clientToken === undefined) return undefined;
  if (typeof clientToken === 'string' && clientToken.length > 0 && Buffer.byteLength(clientToken) <= 64) return clientToken;
  throw invalid('Invalid clientToken: a text of 1 to 64 bytes');
}

/** Whether brackets outside texts nest deeper than so many levels: known before anything recurses. */
function isDeeper(text: string, levels: number): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const one = text.charCodeAt(i);
    if (inText) {
      if (one === 0x5c)
        i++; // what is escaped ends nothing
      else if (one === 0x22) inText = false;
    } else if (one === 0x22) inText = true;
    else if (one === 0x7b || one === 0x5b) {
      if (++depth > levels) return true;
    } else if (one === 0x7d || one === 0x5d) depth--;
  }
  return false;
}
