/** A free port below the range from which the system takes ports for outgoing connections: nobody else will be given it meanwhile. */
import { createServer } from 'node:net';

const FIRST = 20_000;
const LAST = 32_000;
let next = FIRST + ((process.pid * 61) % (LAST - FIRST));

export async function freePort(): Promise<number> {
  for (;;) {
    next = next >= LAST ? FIRST : next + 1;
    const port = next;
    const isFree = await new Promise<boolean>((done) => {
      const server = createServer();
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (isFree) return port;
  }
}
