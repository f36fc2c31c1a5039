/**
 * A job's document: text of a JSON object, with parameters put in and presigned URLs made anew at every read. A device that comes
 * back after a crash describes its job again and never uses a stored URL.
 */
import { JobRefused, reasonOf } from '../../actors/contracts/errors.ts';
import type { JobObjects } from '../../actors/contracts/jobs.ts';
import { MAX_DOCUMENT_BYTES, MAX_PRESIGNED_URLS } from './limits.ts';

const PRESIGNED = /\$\{aws:iot:s3-presigned-url:(https:\/\/[^}"\\\s]+)\}/g;
const PARAMETER = /\$\{aws:iot:parameter:([a-zA-Z0-9:_-]{1,128})\}/g;

/** The document's text. @throws JobRefused InvalidRequest when it is none, too long, or asks for too many URLs */
export function readDocument(given: Readonly<Record<string, unknown>> | string): string {
  const text = typeof given === 'string' ? given : asText(given);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new JobRefused('InvalidRequest', `the job document is ${bytes} bytes, ${MAX_DOCUMENT_BYTES} at most`);
  parseDocument(text);
  const urls = [...text.matchAll(PRESIGNED)];
  if (urls.length > MAX_PRESIGNED_URLS)
    throw new JobRefused('InvalidRequest', `the job document asks for ${urls.length} presigned URLs, ${MAX_PRESIGNED_URLS} at most`);
  for (const [, url] of urls)
    if (!parseS3Url(url)) throw new JobRefused('InvalidRequest', `the job document: ${url} is no S3 URL with a bucket and a key`);
  return text;
}

const MAX_DEPTH = 100; // what a reader by recursion can still follow

function asText(given: object): string {
  try {
    return JSON.stringify(given);
  } catch (error) {
    throw new JobRefused('InvalidRequest', `the job document is no JSON: ${reasonOf(error)}`);
  }
}

/** @throws JobRefused InvalidRequest */
export function parseDocument(text: string): Readonly<Record<string, unknown>> {
  let depth = 0;
  for (const bracket of text.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/[[\]{}]/g) ?? []) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > MAX_DEPTH) throw new JobRefused('InvalidRequest', `the job document is nested deeper than ${MAX_DEPTH}`);
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Readonly<Record<string, unknown>>;
  } catch {
    // said below
  }
  throw new JobRefused('InvalidRequest', 'the job document is no JSON object');
}

/** `${aws:iot:parameter:<key>}` by its value. @throws JobRefused InvalidRequest when one has none */
export function withParameters(text: string, parameters: Readonly<Record<string, string>> | undefined): string {
  return text.replace(PARAMETER, (_, key: string) => {
    if (!parameters || !Object.hasOwn(parameters, key))
      throw new JobRefused('InvalidRequest', `documentParameters has no ${key}, which the document asks for`);
    return inJson(parameters[key]);
  });
}

/** Every placeholder by a URL that reads the object from now on. */
export const withPresignedUrls = (text: string, presign: JobObjects['presign'], expiresInSec: number): string =>
  text.includes('${aws:iot:s3-presigned-url:')
    ? text.replace(PRESIGNED, (whole, url: string) => {
        const object = parseS3Url(url);
        return object ? inJson(presign(object.bucket, object.key, expiresInSec)) : whole;
      })
    : text;

/** Bucket and key of `https://s3.<region>.amazonaws.com/<bucket>/<key>` or `https://<bucket>.s3.<region>.amazonaws.com/<key>`. */
export function parseS3Url(text: string): { readonly bucket: string; readonly key: string } | null {
  const match = /^https:\/\/(?:([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?\/([^?#]+)$/.exec(text);
  if (!match) return null;
  let path: string;
  try {
    path = decodeURIComponent(match[2]);
  } catch {
    return null;
  }
  if (match[1] !== undefined) return { bucket: match[1], key: path };
  const [, bucket, key] = /^([a-z0-9][a-z0-9.-]{0,62})\/(.+)$/s.exec(path) ?? [];
  return key === undefined ? null : { bucket, key };
}

/** As it stands between the quotes of a JSON string. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
