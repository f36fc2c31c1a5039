/** The upload and the number that a part's request names. */
import { type KeyContext, queryNumber } from '../context.ts';
import { S3Failure } from '../failure.ts';
import { MOST_PARTS, type Upload } from '../uploads.ts';

/** @throws S3Failure InvalidArgument, NoSuchUpload */
export async function readPart({
  request,
  uploads,
  bucket,
  key,
}: KeyContext): Promise<{ readonly upload: Upload; readonly number: number }> {
  const number = queryNumber(request, 'partNumber', 0);
  if (number < 1 || number > MOST_PARTS)
    throw new S3Failure('InvalidArgument', `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`);
  return { upload: await uploads.find(request.query.get('uploadId') ?? '', bucket, key), number };
}
