/** The AWS door and the S3 door behind one: S3 speaks XML, streams its bodies, and is told apart by the scope of its signatures. */
import type { S3Door } from '../objects/s3-protocol/door.ts';
import type { AwsFront } from './front.ts';

export const withS3 = (front: AwsFront, door: S3Door): AwsFront => ({
  ...front,
  claims: (request) => door.claims(request) || front.claims(request),
  answer(request, response, caller) {
    if (caller === undefined && door.claims(request)) door.answer(request, response);
    else front.answer(request, response, caller);
  },
  *counts() {
    yield* front.counts();
    for (const { operation, outcome, count } of door.counts()) yield { plane: 's3', operation, outcome, count };
  },
});
