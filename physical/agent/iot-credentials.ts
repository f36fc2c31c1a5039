/**
 * Temporary keys for a certificate, as AWS IoT's credentials provider lends them: GET by mTLS, kept until shortly before they end.
 *
 * Files are read at each asking, so that a renewed certificate is used without a restart.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { z } from 'zod';
import { FileInvalid, RemoteRefused, reasonOf } from '../../actors/contracts/errors.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface ProviderSettings {
  /** `https://host[:port]/role-aliases/<alias>/credentials` */
  readonly endpoint: string;
  /** PEM files. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface TemporaryKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

const Lent = z.object({
  credentials: z.object({
    accessKeyId: z.string().min(1),
    secretAccessKey: z.string().min(1),
    sessionToken: z.string().min(1),
    expiration: z.iso.datetime({ offset: true }),
  }),
});

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 64 * 1_024;
const EARLY_MS = 5 * 60_000; // before they end, so that nothing under way is cut off

/** @param now epoch milliseconds. @returns asks when there are none that last. @throws RemoteRefused, FileInvalid */
export function iotCredentials(settings: ProviderSettings, now: () => Millis): () => Promise<TemporaryKeys> {
  let kept: Promise<TemporaryKeys> | null = null;
  let until = 0;
  return () => {
    if (kept && now() < until) return kept;
    until = Infinity; // one asking for all who wait
    kept = ask(settings).then(
      (keys) => {
        until = keys.expiration.getTime() - EARLY_MS;
        return keys;
      },
      (error: unknown) => {
        kept = null;
        throw error;
      },
    );
    return kept;
  };
}

async function ask({ endpoint, ca, certificate, key }: ProviderSettings): Promise<TemporaryKeys> {
  const refused = (why: string, cause?: unknown) =>
    new RemoteRefused(`${endpoint} lends no keys: ${why}`, {
      ...(cause === undefined ? {} : { cause }),
      hint: 'is the certificate active, and may it use the role alias?',
    });
  const { status, text } = await get(endpoint, { ca: read(ca), cert: read(certificate), key: read(key) }).catch((error: unknown) => {
    throw refused(reasonOf(error), error);
  });
  if (status !== 200) throw refused(`it answers ${status} ${messageIn(text)}`);
  const parsed = Lent.safeParse(parseJson(text));
  if (!parsed.success) throw refused('its answer holds none'); // and is not shown: it may hold half of them
  const { expiration, ...keys } = parsed.data.credentials;
  return { ...keys, expiration: new Date(expiration) };
}

function get(url: string, tls: { readonly ca: string; readonly cert: string; readonly key: string }) {
  return new Promise<{ readonly status: number; readonly text: string }>((done, failed) => {
    const asked = request(url, { ...tls, agent: false, minVersion: 'TLSv1.2', timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) asked.destroy(new Error(`more than ${MOST_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', failed);
      response.on('end', () => done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
    asked.on('error', failed);
    asked.end();
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileInvalid(`${file}:1:1: it cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: 'sagemaker_edge_config.json names the certificate, its key and its CA',
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const messageIn = (text: string): string => z.object({ message: z.string().max(500) }).safeParse(parseJson(text)).data?.message ?? '';
