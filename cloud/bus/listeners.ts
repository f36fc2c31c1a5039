/** The broker's doors: TCP without TLS, and TLS 1.2 or newer where a client must show a certificate of the CA. */
import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Clock } from '../../actors/contracts/clock.ts';
import { EnvironmentLacking } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { BrokerLimits } from './limits.ts';

/** PEM: the server's key and certificate chain, and the CA that its clients' certificates come from. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

export interface Peer {
  readonly principal: string | null;
  readonly certificate: Uint8Array | null;
}

export interface ListenerPorts {
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly count: (what: string) => void;
  readonly accept: (socket: Socket, peer: Peer) => void;
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** How many may come in: a bucket that fills with time, and a ceiling. */
export function admissionGate({ limits, clock, log, count }: Omit<ListenerPorts, 'accept'>) {
  const sockets = new Set<Socket>();
  let tokens = limits.connectionBurst;
  let filledAt = clock.now();
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    sockets,
    /** Destroys what is too much. @returns whether it may stay. */
    admit(socket: Socket): boolean {
      const now = clock.now();
      tokens = Math.min(limits.connectionBurst, tokens + ((now - filledAt) * limits.connectionsPerSecond) / 1_000);
      filledAt = now;
      if (sockets.size >= limits.connections || tokens < 1) {
        count('refused.connection');
        socket.destroy();
        if (now - toldAt > 1_000) {
          toldAt = now; // one line a second, however many
          log.warn(
            { connections: sockets.size },
            sockets.size >= limits.connections ? 'too many MQTT connections' : 'MQTT connections come too fast',
          );
        }
        return false;
      }
      tokens -= 1;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {}); // whoever serves it hears of it too; without a listener it would end the process
      return true;
    },
  };
}

type Gate = ReturnType<typeof admissionGate>;

/** @throws EnvironmentLacking when the port is taken. */
export function listenPlain(host: string, port: number, gate: Gate, { accept }: ListenerPorts): Promise<Listener> {
  const server = createServer({ noDelay: true }, (socket) => {
    if (gate.admit(socket)) accept(socket, { principal: null, certificate: null });
  });
  return listen(server, host, port, '--mqtt-port');
}

/** @throws EnvironmentLacking when the port is taken. */
export function listenTls(host: string, port: number, material: TlsMaterial, gate: Gate, ports: ListenerPorts): Promise<Listener> {
  const { limits, log, count, accept } = ports;
  const server = createTlsServer({
    ...material,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.connectMs,
    ALPNProtocols: ['x-amzn-mqtt-ca', 'mqtt'],
    noDelay: true,
  });
  server.on('connection', (socket: Socket) => gate.admit(socket));
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {});
    const { raw } = socket.getPeerCertificate();
    if (!raw) return socket.destroy(); // a resumed session that has forgotten it
    accept(socket, { principal: createHash('sha256').update(raw).digest('hex'), certificate: raw });
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    count('refused.tls');
    log.warn({ from: socket.remoteAddress, reason: error.code ?? error.message }, 'a TLS connection to the broker is refused');
    socket.destroy();
  });
  return listen(server, host, port, '--mqtts-port');
}

async function listen(server: Server, host: string, port: number, flag: string): Promise<Listener> {
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen({ host, port, backlog: 2_048 }, listening);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new EnvironmentLacking(`MQTT port ${port} on ${host} ${error.code === 'EACCES' ? 'may not be opened' : 'is taken'}`, {
      cause: error,
      hint: `end what uses it, or choose another with ${flag} (0 picks a free one)`,
    });
  });
  server.on('error', () => {}); // a connection that could not be accepted
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : port,
    close: () => new Promise((closed) => server.close(() => closed())),
  };
}
