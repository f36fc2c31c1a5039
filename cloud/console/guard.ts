/**
 * Who may ask: any web page can reach loopback, so the Host must be ours (DNS rebinding), an Origin that is given must be our own
 * page's, and a write must be JSON, which no form of another page can send without asking first.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestRefused } from './errors.ts';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** @param host the address that is listened on */
export function guard(app: FastifyInstance, host: string): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    const refused = refusalOf(request.headers, host);
    if (refused) throw refused;
    if (isWrite(request) && !/^application\/json\b/.test(request.headers['content-type'] ?? ''))
      throw new RequestRefused(415, 'type.refused', 'a write wants content-type: application/json');
  });
}

/** Why whoever sent such headers may not ask at all, however the request is signed; null when they may. @param host the address that is listened on */
export function refusalOf(headers: IncomingHttpHeaders, host: string): RequestRefused | null {
  const asked = hostName(headers.host ?? '');
  if (!LOOPBACK.has(asked) && asked !== host)
    return new RequestRefused(403, 'host.refused', `Host ${headers.host ?? ''} is not this console`, 'open it by 127.0.0.1 or localhost');
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${headers.host}`)
    return new RequestRefused(403, 'origin.refused', `a page of ${origin} may not ask this console`);
  if (headers['sec-fetch-site'] === 'cross-site') return new RequestRefused(403, 'origin.refused', 'another site may not ask this console');
  return null;
}

const isWrite = (request: FastifyRequest) => !['GET', 'HEAD', 'OPTIONS'].includes(request.method);

/** Without the port: `[::1]:7070` → `[::1]`. */
const hostName = (host: string) => host.replace(/:\d+$/, '').toLowerCase();
