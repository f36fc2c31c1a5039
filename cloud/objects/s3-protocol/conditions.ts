/** `If-…` of reads, of writes and of copies, and `Range`. */
import type { HeldHead, HeldPutOptions } from '../held.ts';
import { httpDate, quoted } from './context.ts';
import { notImplemented, S3Failure } from './failure.ts';

/** @param prefix `x-amz-copy-source-` for the source of a copy. @throws S3Failure PreconditionFailed, NotModified */
export function checkRead(head: HeldHead, headers: ReadonlyMap<string, string>, prefix = ''): void {
  const modifiedAt = Math.floor(head.modifiedAt / 1_000) * 1_000; // a date of HTTP has no fraction
  const ifMatch = headers.get(`${prefix}if-match`);
  const ifUnmodified = dateOf(headers.get(`${prefix}if-unmodified-since`));
  if (ifMatch !== undefined ? !matches(ifMatch, head.etag) : ifUnmodified !== null && modifiedAt > ifUnmodified) throw failed();
  const ifNoneMatch = headers.get(`${prefix}if-none-match`);
  const ifModified = dateOf(headers.get(`${prefix}if-modified-since`));
  if (ifNoneMatch !== undefined ? !matches(ifNoneMatch, head.etag) : ifModified === null || modifiedAt > ifModified) return;
  if (prefix !== '') throw failed();
  throw new S3Failure('NotModified', 'Not Modified', { headers: { etag: quoted(head.etag), 'last-modified': httpDate(head.modifiedAt) } });
}

/** @throws S3Failure NotImplemented for conditions that S3 does not know on a write */
export function writeConditions(headers: ReadonlyMap<string, string>): Pick<HeldPutOptions, 'ifNoneMatch' | 'ifMatch'> {
  const ifNoneMatch = headers.get('if-none-match');
  const ifMatch = headers.get('if-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw notImplemented('If-None-Match of anything but * on a write');
  if (ifNoneMatch !== undefined && ifMatch !== undefined) throw notImplemented('If-Match and If-None-Match on one write');
  return { ...(ifNoneMatch ? { ifNoneMatch: '*' as const } : {}), ...(ifMatch === undefined ? {} : { ifMatch: unquoted(ifMatch) }) };
}

const matches = (header: string, etag: string) => header.split(',').some((each) => each.trim() === '*' || unquoted(each) === etag);

export const unquoted = (etag: string) => etag.trim().replace(/^(?:W\/)?"?|"$/g, '');

const dateOf = (header: string | undefined) => {
  const at = Date.parse(header ?? '');
  return Number.isNaN(at) ? null : at;
};

const failed = () => new S3Failure('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');

export interface Span {
  readonly from: number;
  /** The first byte not wanted. */
  readonly to: number;
}

/**
 * Of `bytes=a-b`, `bytes=a-` and `bytes=-n`; null for the whole: no range, or none that HTTP knows.
 * @throws S3Failure InvalidRange; NotImplemented for several ranges at once
 */
export function rangeOf(header: string | undefined, bytes: number): Span | null {
  if (header === undefined) return null;
  const several = /^bytes\s*=(.*)$/i.exec(header.trim());
  if (!several) return null;
  if (several[1].includes(',')) throw notImplemented('Range of several ranges');
  const match = /^\s*(\d*)-(\d*)\s*$/.exec(several[1]);
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const [from, to] =
    match[1] === ''
      ? [Math.max(0, bytes - Number(match[2])), match[2] === '0' ? 0 : bytes]
      : [Number(match[1]), match[2] === '' ? bytes : Math.min(Number(match[2]) + 1, bytes)];
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < Number(match[1])) return null;
  if (from < to) return { from, to };
  throw new S3Failure('InvalidRange', 'The requested range is not satisfiable', {
    members: { RangeRequested: header, ActualObjectSize: String(bytes) },
    headers: { 'content-range': `bytes */${bytes}` },
  });
}
