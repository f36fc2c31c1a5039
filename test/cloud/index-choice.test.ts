import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import { readUpOptions } from '../../cloud/config.ts';
import { removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';
import { type SearchStub, searchStub } from '../kit/search-stub.ts';

const choice = suite('choice of the index');

const data = scratchFolder();
let stub: SearchStub | null = null;

choice('DuckDB unless a server is named, in a text or as an object; credentials from the environment alone', () => {
  assert.equal(readUpOptions({}, {}, '/nowhere').index, { kind: 'duckdb' });
  assert.equal(readUpOptions({}, { WINDFLEET_INDEX: 'opensearch:https://search.example:9200' }, '/nowhere').index, {
    kind: 'opensearch',
    node: 'https://search.example:9200',
    prefix: 'windfleet-',
  });
  assert.equal(
    readUpOptions({ index: { kind: 'elasticsearch', node: 'http://127.0.0.1:9200', prefix: 'farm-1-' } }, {}, '/nowhere').index,
    {
      kind: 'elasticsearch',
      node: 'http://127.0.0.1:9200',
      prefix: 'farm-1-',
    },
  );
  assert.equal(readUpOptions({}, { WINDFLEET_INDEX_USERNAME: 'farm', WINDFLEET_INDEX_PASSWORD: 's3cret' }, '/nowhere').indexCredentials, {
    username: 'farm',
    password: 's3cret',
  });
});

choice('what is none is refused by its path, and a password is never repeated', () => {
  const wrong: [unknown, RegExp][] = [
    ['sqlite', /index: index: .*duckdb/s],
    ['elasticsearch:', /duckdb/],
    ['elasticsearch:not an address', /node: is no address/],
    ['elasticsearch:ftp://127.0.0.1', /node: is no address/],
    [{ kind: 'opensearch' }, /node/],
    [{ kind: 'opensearch', node: 'http://127.0.0.1:9200', prefix: 'A*' }, /prefix: must be small letters/],
    [{ kind: 'opensearch', node: 'http://127.0.0.1:9200', password: 's3cret' }, /password/],
    ['elasticsearch:http://farm:s3cret@127.0.0.1:9200', /holds a password: WINDFLEET_INDEX_USERNAME/],
    ['elasticsearch:http://127.0.0.1:9200/?token=s3cret', /holds more than an address/],
    [7, /duckdb/],
  ];
  for (const [index, reason] of wrong)
    assert.throws(
      () => readUpOptions({ index }, {}, '/nowhere'),
      (error: unknown) => error instanceof ConfigInvalid && reason.test(error.message) && !error.message.includes('s3cret'),
      JSON.stringify(index),
    );
  assert.throws(() => readUpOptions({ profile: 'memory' }, { WINDFLEET_INDEX: 'opensearch:http://127.0.0.1:1' }, '/nowhere'), /in memory/);
});

choice('a farm writes its documents into a search server; one that is away ends it with the reason', async () => {
  stub = await searchStub({ kind: 'elasticsearch', authorization: 'ApiKey a2V5' }, await freePort());
  const { url } = stub;
  const ports = ['--port', '0', '--mqtt-port', '0', '--mqtts-port', '0', '--https-port', '0', '--data', data];
  const up = (key: string) =>
    runCli(['up', '--turbines', '2', '--for', '60s', '--speed', 'max', '--json', ...ports], {
      env: { WINDFLEET_INDEX: `elasticsearch:${url}`, WINDFLEET_INDEX_API_KEY: key },
    });

  const done = await up('a2V5');
  assert.is(done.code, 0, done.err);
  const documents = stub.documents('windfleet-verdicts').map(({ source }) => source);
  assert.ok(documents.length > 100, `${documents.length} documents`);
  assert.ok(
    documents.every(({ score, at, anomalous }) => typeof score === 'number' && typeof at === 'number' && typeof anomalous === 'boolean'),
  );
  assert.ok(stub.documents('windfleet-logs').length > 2 * 1_100, 'twenty a second of each turbine');

  const stranger = await up('bm9uZQ==');
  assert.is(stranger.code, 4);
  assert.match(stranger.err, /does not let us in \(401\)/);
  assert.not.match(stranger.err + stranger.out, /bm9uZQ/);
  await stub.stop();
  const away = await up('a2V5');
  assert.is(away.code, 4);
  assert.match(away.err, /Elasticsearch at http:\/\/127.0.0.1:\d+ does not answer/);
});

choice.after(async () => {
  removeFolder(data);
  await stub?.stop();
});

choice.run();
