import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AwsFailure } from '../../cloud/aws/failure.ts';
import { createPages } from '../../cloud/aws/page.ts';

const pages = suite('aws-pages');

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 40 });
const ascending = (a: string, b: string) => (a < b ? -1 : 1);

/** Page after page; between two of them the list may change. */
function readAll(first: readonly string[], limit: number, descending: boolean, change: (list: readonly string[]) => readonly string[]) {
  const { cut } = createPages('secret');
  const sorted = (list: readonly string[]) => [...list].sort((a, b) => (descending ? ascending(b, a) : ascending(a, b)));
  const read: string[] = [];
  let list = first;
  let token: string | undefined;
  do {
    const page = cut(['names'], sorted(list), (name) => name, { limit, token, descending });
    assert.ok(page.items.length <= limit);
    read.push(...page.items);
    token = page.token;
    list = change(list);
  } while (token !== undefined);
  return read;
}

pages('together are the list, whatever their length', () => {
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 50 }), fc.boolean(), (list, limit, descending) => {
      const read = readAll(list, limit, descending, (same) => same);
      assert.equal(
        read,
        [...list].sort((a, b) => (descending ? ascending(b, a) : ascending(a, b))),
      );
    }),
  );
});

pages('show what stays exactly once, though other items come and go between them', () => {
  fc.assert(
    fc.property(names, names, fc.integer({ min: 1, max: 5 }), (staying, passing, limit) => {
      const others = passing.filter((name) => !staying.includes(name));
      let turn = 0;
      const read = readAll([...staying, ...others], limit, false, () => (turn++ % 2 === 0 ? staying : [...staying, ...others]));
      assert.equal(
        read.filter((name) => staying.includes(name)),
        [...staying].sort(ascending),
      );
    }),
  );
});

pages('a token is of its list, of this service, and whole', () => {
  const here = createPages('secret');
  const token = here.seal(['ListJobs', 'QUEUED'], 'place/1');
  assert.is(here.open(['ListJobs', 'QUEUED'], token), 'place/1');
  assert.match(token, /^[A-Za-z0-9+/]+={0,2}$/);
  const flipped = (at: number) => {
    const bytes = Buffer.from(token, 'base64');
    bytes[at] ^= 1;
    return bytes.toString('base64');
  };
  for (const open of [
    () => here.open(['ListJobs', 'FAILED'], token),
    () => here.open(['ListThings'], token),
    () => createPages('other').open(['ListJobs', 'QUEUED'], token),
    () => here.open(['ListJobs', 'QUEUED'], `${token}AAAA`),
    () => here.open(['ListJobs', 'QUEUED'], token.slice(0, 8)),
    () => here.open(['ListJobs', 'QUEUED'], ''),
    () => here.open(['ListJobs', 'QUEUED'], flipped(0)),
    () => here.open(['ListJobs', 'QUEUED'], flipped(17)),
  ])
    assert.throws(open, (error: unknown) => error instanceof AwsFailure && error.code === 'InvalidRequestException');
});

pages.run();
