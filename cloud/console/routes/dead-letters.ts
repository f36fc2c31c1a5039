/** What could not become a document: looked into, and tried again. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody } from '../errors.ts';
import type { ConsoleServices } from '../services.ts';

type OfId = { Params: { id: string } };

const Nothing = z.strictObject({});

export function deadLetterRoutes(app: FastifyInstance, { letters }: ConsoleServices): void {
  app.get('/api/dead-letters', async () => letters.list());
  app.get<OfId>('/api/dead-letters/:id', async ({ params }) => {
    const { payload, ...letter } = await letters.show(params.id);
    return { ...letter, ...shown(payload) };
  });
  app.post<OfId>('/api/dead-letters/:id/replay', async ({ params, body }) => {
    parseBody(Nothing, body ?? {});
    return letters.replay(params.id);
  });
}

/** As text where it is UTF-8, else in base64. */
function shown(payload: Uint8Array): { readonly payload: string; readonly encoding: 'utf-8' | 'base64' } {
  try {
    return { payload: new TextDecoder('utf-8', { fatal: true }).decode(payload), encoding: 'utf-8' };
  } catch {
    return { payload: Buffer.from(payload).toString('base64'), encoding: 'base64' };
  }
}
