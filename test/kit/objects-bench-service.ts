/** A process to be measured: the S3 protocol over the disk kind, and a bare fastify route that writes and syncs a file beside it. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify from 'fastify';
import { startS3 } from './s3-server.ts';

const [data, barePort] = process.argv.slice(2);
const server = await startS3(join(data, 'objects'));
await server.objects.createBucket('bench');

const bare = Fastify({ bodyLimit: 8 * 2 ** 20 });
bare.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
bare.put<{ Params: { name: string }; Body: Buffer }>('/bench/:name', async ({ params, body }) => {
  const file = await open(join(data, params.name), 'w');
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
  return '';
});
bare.get<{ Params: { name: string } }>('/bench/:name', async ({ params }, reply) =>
  reply.type('application/octet-stream').send(await readFile(join(data, params.name))),
);
await bare.listen({ host: '127.0.0.1', port: Number(barePort) });

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system });
});
process.send?.({ url: server.url, key: server.key });
