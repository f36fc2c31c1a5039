/** CompleteMultipartUpload: the parts, in the order of their numbers, become the object. */
import { createHash } from 'node:crypto';
import { badSum, incomingBody, readChecksum, wholeBody } from '../body.ts';
import { writeConditions } from '../conditions.ts';
import { type Answer, type KeyContext, quoted } from '../context.ts';
import { S3Failure } from '../failure.ts';
import type { Checksum, HeldHead } from '../../held.ts';
import type { Upload } from '../uploads.ts';
import { childText, malformed, readDocument, writeDocument } from '../xml.ts';
import { checksumElement } from './copy.ts';

const LARGEST_DOCUMENT = 4 * 2 ** 20; // 10 000 parts with their checksums
const SMALLEST_PART = 5 * 2 ** 20;

interface Part {
  readonly number: number;
  readonly head: HeldHead;
}

export async function completeMultipartUpload(context: KeyContext): Promise<Answer> {
  const { objects, uploads, request, signed, sums, bucket, key } = context;
  const conditions = writeConditions(request.headers);
  const given = readChecksum(request.headers); // of the whole object, not of this document
  const document = new Map([...request.headers].filter(([name]) => !name.startsWith('x-amz-checksum-')));
  const incoming = incomingBody({ ...request, headers: document }, signed, sums, { limit: LARGEST_DOCUMENT });
  const listed = readParts(await wholeBody(incoming));
  const upload = await uploads.find(request.query.get('uploadId') ?? '', bucket, key);
  const parts = chosen(listed, await uploads.parts(upload.id));
  const size = request.headers.get('x-amz-mp-object-size');
  const bytes = parts.reduce((sum, { head }) => sum + head.bytes, 0);
  if (size !== undefined && Number(size) !== bytes)
    throw new S3Failure('InvalidRequest', `The provided 'x-amz-mp-object-size' header does not match what was computed: ${bytes}`);

  const composite = upload.type === 'COMPOSITE' ? compositeOf(upload, parts, sums) : null;
  const full = upload.type === 'FULL_OBJECT' && upload.algorithm ? sums(upload.algorithm) : null;
  const body = async function* () {
    for (const { number } of parts)
      for await (const chunk of uploads.readPart(upload.id, number)) {
        full?.update(chunk);
        yield chunk;
      }
  };
  const md5s = createHash('md5');
  for (const { head } of parts) md5s.update(Buffer.from(head.etag, 'hex'));
  const { contentType, metadata, headers } = upload;
  const head = await objects.put(bucket, key, body(), {
    ...(contentType === null ? {} : { contentType }),
    metadata,
    headers,
    ...conditions,
    seal() {
      const checksum: Checksum | null =
        full && upload.algorithm
          ? { algorithm: upload.algorithm, value: full.digest().toString('base64'), type: 'FULL_OBJECT' }
          : composite;
      if (given && checksum && (given.algorithm !== checksum.algorithm || given.value !== checksum.value)) throw badSum(given.algorithm);
      return { etag: `${md5s.digest('hex')}-${parts.length}`, ...(checksum ? { checksum } : {}) };
    },
  });
  await uploads.forget(upload.id);
  const fields = {
    Location: `/${bucket}/${encodeURIComponent(key)}`,
    Bucket: bucket,
    Key: key,
    ETag: quoted(head.etag),
    ...checksumElement(head),
  };
  return { status: 200, body: writeDocument('CompleteMultipartUploadResult', { ...fields, ChecksumType: head.checksum?.type }) };
}

interface ListedPart {
  readonly number: number;
  readonly etag: string;
  /** By algorithm, where the client says one. */
  readonly sums: Readonly<Record<string, string>>;
}

/** @throws S3Failure MalformedXML, InvalidPartOrder */
function readParts(bytes: Uint8Array): readonly ListedPart[] {
  const document = readDocument(bytes);
  if (document.name !== 'CompleteMultipartUpload') throw malformed();
  const parts = document.children
    .filter(({ name }) => name === 'Part')
    .map((part): ListedPart => {
      const [number, etag] = [childText(part, 'PartNumber'), childText(part, 'ETag')];
      if (number === null || etag === null || !/^\d{1,5}$/.test(number.trim())) throw malformed();
      const sums = part.children.filter(({ name }) => name.startsWith('Checksum')).map(({ name, text }) => [name.slice(8), text] as const);
      return { number: Number(number), etag: etag.trim().replace(/^"|"$/g, ''), sums: Object.fromEntries(sums) };
    });
  if (parts.length === 0) throw malformed();
  for (let i = 1; i < parts.length; i++)
    if (parts[i].number <= parts[i - 1].number)
      throw new S3Failure('InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.');
  return parts;
}

/** @throws S3Failure InvalidPart, EntityTooSmall */
function chosen(listed: readonly ListedPart[], held: ReadonlyMap<number, HeldHead>): readonly Part[] {
  return listed.map(({ number, etag, sums }, i) => {
    const head = held.get(number);
    const { checksum } = head ?? {};
    const isOther = checksum && sums[checksum.algorithm] !== undefined && sums[checksum.algorithm] !== checksum.value;
    if (!head || head.etag !== etag || isOther)
      throw new S3Failure(
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { members: { PartNumber: String(number), ETag: etag.slice(0, 100) } },
      );
    if (i < listed.length - 1 && head.bytes < SMALLEST_PART)
      throw new S3Failure('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        members: { ProposedSize: String(head.bytes), MinSizeAllowed: String(SMALLEST_PART), PartNumber: String(number), ETag: etag },
      });
    return { number, head };
  });
}

/** The checksum of the parts' checksums. */
function compositeOf({ algorithm }: Upload, parts: readonly Part[], sums: KeyContext['sums']): Checksum | null {
  if (!algorithm) return null;
  const sum = sums(algorithm);
  for (const { head } of parts) sum.update(Buffer.from(head.checksum?.value ?? '', 'base64'));
  return { algorithm, value: `${sum.digest().toString('base64')}-${parts.length}`, type: 'COMPOSITE' };
}
