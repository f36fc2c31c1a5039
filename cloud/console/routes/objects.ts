/** Objects for devices: `GET /objects/<bucket>/<key>`, from any byte on. Read only, and model packages alone. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { NotFound } from '../../../actors/contracts/errors.ts';
import { MODEL_BUCKET } from '../../../actors/contracts/objects.ts';
import { RequestRefused } from '../errors.ts';
import type { ConsoleServices } from '../services.ts';

export function objectRoutes(app: FastifyInstance, { objects }: ConsoleServices): void {
  app.get<{ Params: { bucket: string; '*': string } }>(
    '/objects/:bucket/*',
    { exposeHeadRoute: true },
    async ({ params, headers, method }, reply) => {
      const { bucket, '*': key } = params;
      const head = bucket === MODEL_BUCKET ? await objects.head(bucket, key) : null; // of the others nobody learns what is there
      if (!head) throw new NotFound(`there is no object ${key} in ${bucket}`);
      const from = firstByte(headers.range, head.bytes);
      reply.headers({
        'accept-ranges': 'bytes',
        etag: `"${head.sha256 ?? head.etag}"`,
        'content-type': 'application/octet-stream',
        'content-length': head.bytes - (from ?? 0),
      });
      if (from !== null) reply.status(206).header('content-range', `bytes ${from}-${head.bytes - 1}/${head.bytes}`);
      if (method === 'HEAD') {
        reply.hijack(); // the framework would count an empty body
        reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>).end();
        return;
      }
      return reply.send(Readable.from(objects.get(bucket, key, { from: from ?? 0 })));
    },
  );
}

/** Of `bytes=N-`, the one form that devices use; null without a range. @throws RequestRefused 416 */
function firstByte(range: string | undefined, bytes: number): number | null {
  if (range === undefined) return null;
  const match = /^bytes=(\d+)-$/.exec(range);
  if (!match || Number(match[1]) >= bytes)
    throw new RequestRefused(416, 'range.invalid', `range ${range} of ${bytes} bytes`, 'bytes=N- is served');
  return Number(match[1]);
}
