import { createHash } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalRequest, type RequestHead } from '../../cloud/aws/canonical.ts';
import { AwsFailure } from '../../cloud/aws/failure.ts';
import { createVerifier, parseAuthorization } from '../../cloud/aws/signature.ts';

const signature = suite('aws-signature');

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const NOW = Date.UTC(2026, 2, 4, 5, 6, 7);

const verifierAt = (now: number, expiresAt: number | null = null) =>
  createVerifier(
    (id, token) => (id === KEY.accessKeyId && token === null ? { secretAccessKey: KEY.secretAccessKey, expiresAt, caller: 'owner' } : null),
    () => now,
  );

/** A request on the wire, as AWS's own signer makes it. */
async function signed(
  {
    method = 'PUT',
    path = '/things/T-001/jobs/$next',
    query = {},
    body = '{}',
    headers = {},
  }: {
    method?: string;
    path?: string;
    query?: Record<string, string | string[]>;
    body?: string | Uint8Array;
    headers?: Record<string, string>;
  } = {},
  options: { key?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }; at?: number; applyChecksum?: boolean } = {},
): Promise<{ head: RequestHead; body: Uint8Array; authorization: string }> {
  const { key = KEY, at = NOW, applyChecksum = true } = options;
  const signer = new SignatureV4({ credentials: key, region: 'eu-west-1', service: 'iot', sha256: Sha256, applyChecksum });
  const result = await signer.sign(
    { method, protocol: 'http:', hostname: '127.0.0.1', path, query, headers: { host: '127.0.0.1:7070', ...headers }, body },
    { signingDate: new Date(at) },
  );
  const text = Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((one) => `${escaped(name)}=${escaped(one)}`))
    .join('&');
  const all = new Map(Object.entries(result.headers).map(([name, value]) => [name.toLowerCase(), Buffer.from(value).toString('latin1')]));
  return { head: { method, path, query: text, headers: all }, body: Buffer.from(body), authorization: all.get('authorization') ?? '' };
}

const escaped = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const failureOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    if (error instanceof AwsFailure) return error.code;
    throw error;
  }
};

signature('the example of AWS’s documents has the canonical form and the digest that they print', () => {
  // "Create a signed AWS API request", IAM user guide: GET ListUsers
  const text = canonicalRequest(
    {
      method: 'GET',
      path: '/',
      query: 'Action=ListUsers&Version=2010-05-08',
      headers: new Map([
        ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
        ['host', 'iam.amazonaws.com'],
        ['x-amz-date', '20150830T123600Z'],
      ]),
    },
    ['content-type', 'host', 'x-amz-date'],
    createHash('sha256').digest('hex'),
  );
  assert.is(createHash('sha256').update(text).digest('hex'), 'f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59');

  const verifier = createVerifier(
    () => ({ secretAccessKey: KEY.secretAccessKey, expiresAt: null, caller: 'owner' }),
    () => Date.UTC(2015, 7, 30, 12, 36, 0),
  );
  const authorization = parseAuthorization(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  );
  const head = {
    method: 'GET',
    path: '/',
    query: 'Action=ListUsers&Version=2010-05-08',
    headers: new Map([
      ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
      ['host', 'iam.amazonaws.com'],
      ['x-amz-date', '20150830T123600Z'],
    ]),
  };
  assert.is(verifier.verify(head, new Uint8Array(), authorization), 'owner');
});

signature('whatever AWS’s signer signs is verified', async () => {
  const segment = fc.string({ unit: fc.constantFrom(..."abcXYZ019-._~$:@!*()'+,;= /%&?#äß€😀"), minLength: 1, maxLength: 12 });
  const text = fc.string({ unit: fc.constantFrom(..."ab 01-._~$:@!*()'+,;=/%&?#ä€😀"), maxLength: 12 });
  const verifier = verifierAt(NOW);
  await fc.assert(
    fc.asyncProperty(
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      fc.dictionary(fc.string({ unit: fc.constantFrom(...'abcA-._0'), minLength: 1, maxLength: 6 }), text, { maxKeys: 4 }),
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH'),
      fc.boolean(),
      async (segments, query, bytes, method, applyChecksum) => {
        const path = `/${segments.map(encodeURIComponent).join('/')}`;
        const { head, body, authorization } = await signed({ method, path, query, body: bytes }, { applyChecksum });
        assert.is(verifier.verify(head, body, parseAuthorization(authorization)), 'owner');
      },
    ),
    { numRuns: 200 },
  );
});

signature('paths with empty and dot segments, repeated query names and blanks in headers have one form', async () => {
  const verifier = verifierAt(NOW);
  for (const path of ['/', '//things//a', '/a/./b/../c/', '/a/', '/things/t1/jobs/%24next', '/topics/a%2Fb%20c', '/a/..', '/.well-known']) {
    const { head, body, authorization } = await signed({ method: 'POST', path, query: { b: ['2', '10', '1'], a: '' } });
    assert.is(verifier.verify(head, body, parseAuthorization(authorization)), 'owner', path);
  }
  const { head, body, authorization } = await signed({ headers: { 'x-amzn-principal': '  arn   of\ta  thing  ' } });
  assert.is(verifier.verify(head, body, parseAuthorization(authorization)), 'owner');
});

signature('any change on the way is refused', async () => {
  const verifier = verifierAt(NOW);
  const { head, body, authorization } = await signed({ query: { force: 'true' }, headers: { 'x-amzn-principal': 'arn:a' } });
  const good = parseAuthorization(authorization);
  const header = (name: string, value: string) => ({ ...head, headers: new Map([...head.headers, [name, value]]) });
  const changed: [string, () => unknown][] = [
    ['method', () => verifier.verify({ ...head, method: 'POST' }, body, good)],
    ['path', () => verifier.verify({ ...head, path: '/things/T-002/jobs/$next' }, body, good)],
    ['query', () => verifier.verify({ ...head, query: 'force=false' }, body, good)],
    ['more query', () => verifier.verify({ ...head, query: `${head.query}&a=b` }, body, good)],
    ['body', () => verifier.verify(head, Buffer.from('{ }'), good)],
    ['host', () => verifier.verify(header('host', 'evil.example'), body, good)],
    ['principal', () => verifier.verify(header('x-amzn-principal', 'arn:b'), body, good)],
    ['instant', () => verifier.verify(header('x-amz-date', '20260304T050608Z'), body, good)],
    ['region', () => verifier.verify(head, body, { ...good, region: 'eu-west-2' })],
    ['service', () => verifier.verify(head, body, { ...good, service: 'iotdata' })],
    ['signature', () => verifier.verify(head, body, { ...good, signature: good.signature.replace(/.$/, (c) => (c === '0' ? '1' : '0')) })],
    ['an unsigned header that counts', () => verifier.verify(header('x-amz-target', 'SageMaker.Delete'), body, good)],
    ['no body’s digest', () => verifier.verify(header('x-amz-content-sha256', 'UNSIGNED-PAYLOAD'), body, good)],
    ['a stream', () => verifier.verify(header('x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'), body, good)],
  ];
  for (const [what, work] of changed) assert.is(failureOf(work), 'InvalidSignatureException', what);
  assert.is(verifier.verify(head, body, good), 'owner');
});

signature('a body whose signer said UNSIGNED-PAYLOAD is refused though the signature is right', async () => {
  const verifier = verifierAt(NOW);
  const { head, body, authorization } = await signed({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
  assert.is(
    failureOf(() => verifier.verify(head, body, parseAuthorization(authorization))),
    'InvalidSignatureException',
  );
});

signature('more than five minutes early or late is refused, and says what instant is expected', async () => {
  for (const [at, expected] of [
    [NOW - 300_000, 'none'],
    [NOW + 300_000, 'none'],
    [NOW - 301_000, 'InvalidSignatureException'],
    [NOW + 301_000, 'InvalidSignatureException'],
    [NOW - 86_400_000, 'InvalidSignatureException'],
  ] as const) {
    const { head, body, authorization } = await signed({}, { at });
    assert.is(
      failureOf(() => verifierAt(NOW).verify(head, body, parseAuthorization(authorization))),
      expected,
      String(at - NOW),
    );
  }
  const { head, body, authorization } = await signed({}, { at: NOW - 600_000 });
  assert.throws(() => verifierAt(NOW).verify(head, body, parseAuthorization(authorization)), /Signature expired: 20260304T045607Z/);
});

signature('unknown keys, foreign tokens and expired keys have AWS’s errors', async () => {
  const unknown = await signed({}, { key: { ...KEY, accessKeyId: 'AKIDOTHER' } });
  assert.is(
    failureOf(() => verifierAt(NOW).verify(unknown.head, unknown.body, parseAuthorization(unknown.authorization))),
    'UnrecognizedClientException',
  );
  const token = await signed({}, { key: { ...KEY, sessionToken: 'foreign' } });
  assert.is(
    failureOf(() => verifierAt(NOW).verify(token.head, token.body, parseAuthorization(token.authorization))),
    'UnrecognizedClientException',
  );
  const secret = await signed({}, { key: { ...KEY, secretAccessKey: 'guessed' } });
  assert.is(
    failureOf(() => verifierAt(NOW).verify(secret.head, secret.body, parseAuthorization(secret.authorization))),
    'InvalidSignatureException',
  );
  const good = await signed();
  assert.is(
    failureOf(() => verifierAt(NOW, NOW).verify(good.head, good.body, parseAuthorization(good.authorization))),
    'ExpiredTokenException',
  );
});

signature('a header that is no signature says what it lacks', () => {
  const credential = 'Credential=A/20260304/eu-west-1/iot/aws4_request';
  const digits = `Signature=${'a'.repeat(64)}`;
  for (const [header, expected] of [
    [undefined, 'MissingAuthenticationTokenException'],
    ['', 'MissingAuthenticationTokenException'],
    ['Basic dXNlcjpwYXNz', 'IncompleteSignatureException'],
    [`AWS4-ECDSA-P256-SHA256 ${credential}, SignedHeaders=host, ${digits}`, 'IncompleteSignatureException'],
    ['AWS4-HMAC-SHA256', 'IncompleteSignatureException'],
    [`AWS4-HMAC-SHA256 Credential=A/20260304/eu-west-1/iot, SignedHeaders=host, ${digits}`, 'IncompleteSignatureException'],
    [`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=x-amz-date, ${digits}`, 'IncompleteSignatureException'],
    [`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=Host, ${digits}`, 'IncompleteSignatureException'],
    [`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=abc`, 'IncompleteSignatureException'],
    [`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, ${digits}`, 'none'],
  ] as const)
    assert.is(
      failureOf(() => parseAuthorization(header)),
      expected,
      header,
    );
});

signature.run();
