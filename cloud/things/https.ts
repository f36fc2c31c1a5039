/**
 * The door for things by HTTPS (8443): TLS 1.2 or newer, where a client may show its certificate. Behind it are the credentials
 * provider (`GET /role-aliases/<alias>/credentials`) and, for whoever else asks, what is mounted.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { EnvironmentLacking, reasonOf, ThingRefused } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { ServerIdentity } from './authority.ts';
import type { Credentials, Identities, Principal } from './ports.ts';

export interface ThingsHttpsOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly server: ServerIdentity;
  readonly identities: Identities;
  readonly credentials: Pick<Credentials, 'assume'>;
  readonly log: Log;
  /** Everything else. @param caller whose certificate the connection showed; undefined when it showed none, null for one that does not count */
  readonly mount?: (request: IncomingMessage, response: ServerResponse, caller: CertificatePrincipal | null | undefined) => void;
}

export type CertificatePrincipal = Principal & { readonly kind: 'certificate' };

export interface ThingsHttps {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

const HANDSHAKE_MS = 10_000;
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const MOST_CONNECTIONS = 2_000;
const STATUS: Readonly<Record<string, number>> = { ResourceNotFound: 404, Unauthorized: 403, InvalidRequest: 400 };

/** @throws EnvironmentLacking when the port is taken. */
export async function openThingsHttps(options: ThingsHttpsOptions): Promise<ThingsHttps> {
  const { host, port, server, identities, credentials, log, mount } = options;
  const sockets = new Set<TLSSocket>();
  const http = createServer({ headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, maxHeaderSize: 16 * 1024 }, (request, response) => {
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('cache-control', 'no-store');
    try {
      serve(request, response);
    } catch (error) {
      log.error({ path: pathOf(request).slice(0, 200), reason: reasonOf(error) }, 'a request over HTTPS failed');
      if (!response.headersSent) answer(response, 500, { message: 'the service could not do it' });
    }
  });

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const socket = request.socket as TLSSocket;
    const shown = socket.getPeerCertificate();
    // asked at each request, so that a certificate that was revoked meanwhile ends there
    const caller = socket.authorized && shown.raw ? identities.ofCertificate(shown.raw) : null;
    const [, alias] = /^\/role-aliases\/([^/]+)\/credentials$/.exec(pathOf(request)) ?? [];
    if (shown.raw && !caller) {
      log.warn({ from: socket.remoteAddress, certificate: shown.fingerprint256 }, 'a certificate is not of this CA, expired or not active');
      if (mount && alias === undefined) return mount(request, response, null);
      return answer(response, 403, { message: 'the certificate is unknown here, expired or not active' });
    }
    if (alias !== undefined) return lend(request, response, caller, alias);
    if (mount) return mount(request, response, caller ?? undefined);
    answer(response, 404, { message: 'there is nothing here' });
  };

  const lend = (request: IncomingMessage, response: ServerResponse, caller: CertificatePrincipal | null, encoded: string) => {
    if (request.method !== 'GET') return answer(response, 405, { message: 'GET is what it answers' });
    if (!caller) return answer(response, 403, { message: 'a certificate of a thing is needed' });
    const header = request.headers['x-amzn-iot-thingname'];
    if (Array.isArray(header)) return answer(response, 400, { message: 'x-amzn-iot-thingname is given more than once' });
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credentials.assume(caller, decode(encoded), header ?? null);
      const expiration = new Date(expiresAt).toISOString().replace('.000Z', 'Z');
      answer(response, 200, { credentials: { accessKeyId, secretAccessKey, sessionToken, expiration } });
    } catch (error) {
      if (!(error instanceof ThingRefused)) throw error;
      log.warn({ certificate: caller.id, reason: error.message }, 'keys were refused');
      answer(response, STATUS[error.reason] ?? 400, { message: error.message });
    }
  };

  const tls = createTlsServer({
    key: server.privateKeyPem,
    cert: server.certificatePem + server.caPem,
    ca: server.caPem,
    requestCert: true,
    rejectUnauthorized: false, // who shows none may still sign his requests; a wrong one is refused above
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_MS,
    ALPNProtocols: ['http/1.1', 'x-amzn-http-ca'],
  });
  tls.maxConnections = MOST_CONNECTIONS;
  tls.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // without a listener a broken line would end the process
    http.emit('connection', socket);
  });
  tls.on('tlsClientError', (error, socket) => {
    log.debug({ from: socket.remoteAddress, reason: error.message }, 'a TLS handshake failed');
    socket.destroy();
  });
  await new Promise<void>((listening, failed) => {
    tls.once('error', failed);
    tls.listen(port, host, listening);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new EnvironmentLacking(`HTTPS port ${port} on ${host} ${error.code === 'EACCES' ? 'may not be opened' : 'is taken'}`, {
      cause: error,
      hint: 'end what uses it, or choose another with --https-port (0 picks a free one)',
    });
  });
  const bound = tls.address();

  return {
    address: { host, port: typeof bound === 'object' && bound ? bound.port : port },
    async close() {
      const closed = new Promise<void>((done) => tls.close(() => done()));
      for (const socket of sockets) socket.destroy();
      http.close();
      await closed;
    },
  };
}

const pathOf = ({ url = '/' }: IncomingMessage) => url.split('?', 1)[0];

/** @throws ThingRefused InvalidRequest */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new ThingRefused('InvalidRequest', 'the path is not encoded as a path is', { cause: error });
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
