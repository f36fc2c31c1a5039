/** A line between a client and a server that can be cut, and held open or shut. */
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from './free-port.ts';

export interface CutLine {
  readonly port: number;
  /** Ends every connection through it; while it is shut, new ones end at once. */
  cut(): void;
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

export async function cutLine(to: number): Promise<CutLine> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let isShut = false;
  const server = createServer((near) => {
    if (isShut) return near.destroy();
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    cut,
    shut() {
      isShut = true;
      cut();
    },
    open() {
      isShut = false;
    },
    async close() {
      const ended = new Promise<void>((closed) => server.close(() => closed()));
      cut();
      await ended;
    },
  };
}
