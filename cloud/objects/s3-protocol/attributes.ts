/** What headers say of an object that is put, and what headers say of one that is read. */
import type { HeldHead } from '../held.ts';
import { headerOf } from './body.ts';
import { httpDate, quoted } from './context.ts';
import { notImplemented, S3Failure } from './failure.ts';

const KEPT = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires'] as const;
const MOST_METADATA = 2_048;
const META = 'x-amz-meta-';

/** What would change what the object is, and is not done here: said, not passed over. */
const NOT_DONE =
  /^x-amz-(tagging|server-side-encryption.*|object-lock-.*|website-redirect-location|grant-.*|write-offset-bytes|request-payer)$/;

export interface GivenAttributes {
  readonly contentType?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws S3Failure MetadataTooLarge, InvalidStorageClass, AccessControlListNotSupported, NotImplemented */
export function givenAttributes(headers: ReadonlyMap<string, string>): GivenAttributes {
  checkHeaders(headers);
  const metadata = Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith(META)).map(([name, value]) => [name.slice(META.length), value]),
  );
  const bytes = Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes > MOST_METADATA)
    throw new S3Failure('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      members: { Size: String(bytes), MaxSizeAllowed: String(MOST_METADATA) },
    });
  const kept: Record<string, string> = {};
  for (const name of KEPT) {
    const value = name === 'content-encoding' ? withoutChunks(headers.get(name)) : headers.get(name);
    if (value !== undefined && value !== '') kept[name] = value;
  }
  const contentType = headers.get('content-type');
  return { ...(contentType ? { contentType } : {}), metadata, headers: kept };
}

export function checkHeaders(headers: ReadonlyMap<string, string>): void {
  for (const name of headers.keys()) if (NOT_DONE.test(name)) throw notImplemented(name);
  const storageClass = headers.get('x-amz-storage-class') ?? 'STANDARD';
  if (storageClass !== 'STANDARD') throw new S3Failure('InvalidStorageClass', 'The storage class you specified is not valid');
  const acl = headers.get('x-amz-acl') ?? 'private';
  if (acl !== 'private' && acl !== 'bucket-owner-full-control')
    throw new S3Failure('AccessControlListNotSupported', 'The bucket does not allow ACLs');
}

/** `aws-chunked` is how it came, not what it is. */
const withoutChunks = (encoding: string | undefined) =>
  encoding
    ?.split(',')
    .map((each) => each.trim())
    .filter((each) => each !== 'aws-chunked' && each !== '')
    .join(',');

const OVERRIDES: Readonly<Record<string, string>> = {
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-content-type': 'content-type',
  'response-expires': 'expires',
};

/** @param query its `response-…` take the place of what is kept */
export function readHeaders(head: HeldHead, query: ReadonlyMap<string, string>): Record<string, string> {
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: quoted(head.etag),
    'last-modified': httpDate(head.modifiedAt),
    'content-type': head.contentType ?? 'binary/octet-stream',
    ...head.headers,
  };
  for (const [name, value] of Object.entries(head.metadata)) headers[META + name] = value;
  for (const [parameter, name] of Object.entries(OVERRIDES)) {
    const value = query.get(parameter);
    if (value === undefined) continue;
    if (/[\r\n]/.test(value)) throw new S3Failure('InvalidArgument', `${parameter} is no header`);
    headers[name] = value;
  }
  return headers;
}

export const checksumHeaders = ({ checksum }: Pick<HeldHead, 'checksum'>): Record<string, string> =>
  checksum ? { [headerOf(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type } : {};
