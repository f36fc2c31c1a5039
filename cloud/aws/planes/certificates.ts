/** Control plane: certificates, policies, role aliases, and where the endpoints are. */
import { z } from 'zod';
import { arnOf, type Place } from '../../things/arns.ts';
import type { Certificate, Certificates, Credentials, Endpoints, Policies, Tags } from '../../things/ports.ts';
import { AwsFailure } from '../failure.ts';
import { type Operation, operation } from '../operation.ts';
import type { Pages } from '../page.ts';
import { Arn, CertificateId, Marking, PolicyName, QueryBool, RoleAliasName, seconds, TagList, textsOf, USUAL } from '../shapes.ts';

export interface CertificateServices {
  readonly certificates: Certificates;
  readonly policies: Policies;
  readonly credentials: Credentials;
  readonly endpoints: Endpoints;
  readonly tags: Tags;
  readonly place: Place;
}

const OfCertificate = z.object({ certificateId: CertificateId });
const OfPolicy = z.object({ policyName: PolicyName });
const OfAlias = z.object({ roleAlias: RoleAliasName });
/** Statuses that UpdateCertificate takes; AWS sets the others itself. */
const NewStatus = z.enum(['ACTIVE', 'INACTIVE', 'REVOKED']);

export function certificateOperations({
  certificates,
  policies,
  credentials,
  endpoints,
  tags,
  place,
}: CertificateServices): readonly Operation[] {
  return [
    operation(
      'CreateKeysAndCertificate',
      'POST /keys-and-certificate',
      { query: z.object({ setAsActive: QueryBool.optional() }), errors: USUAL },
      async ({ setAsActive = false }) => {
        const { certificate, publicKeyPem, privateKeyPem } = await certificates.create({ active: setAsActive });
        return {
          certificateArn: certificate.arn,
          certificateId: certificate.id,
          certificatePem: certificate.pem,
          keyPair: { PublicKey: publicKeyPem, PrivateKey: privateKeyPem },
        };
      },
    ),
    operation(
      'CreateCertificateFromCsr',
      'POST /certificates',
      {
        query: z.object({ setAsActive: QueryBool.optional() }),
        body: z.object({ certificateSigningRequest: z.string().min(1).max(4_096) }),
        errors: USUAL,
      },
      async ({ setAsActive = false, certificateSigningRequest }) => {
        const { arn, id, pem } = await certificates.sign(certificateSigningRequest, { active: setAsActive });
        return { certificateArn: arn, certificateId: id, certificatePem: pem };
      },
    ),
    operation(
      'DescribeCertificate',
      'GET /certificates/{certificateId}',
      { path: OfCertificate, errors: [...USUAL, 'ResourceNotFoundException'] },
      ({ certificateId }) => {
        const { arn, id, pem, status, notBefore, notAfter, createdAt, lastModifiedAt } = certificates.describe(certificateId.toLowerCase());
        return {
          certificateDescription: {
            certificateArn: arn,
            certificateId: id,
            status,
            certificatePem: pem,
            ownedBy: place.account,
            creationDate: seconds(createdAt),
            lastModifiedDate: seconds(lastModifiedAt),
            validity: { notBefore: seconds(notBefore), notAfter: seconds(notAfter) },
            certificateMode: 'DEFAULT',
          },
        };
      },
    ),
    operation('ListCertificates', 'GET /certificates', { query: Marking, errors: USUAL }, (asked, { pages }) => {
      const { items, nextMarker } = marked(pages, ['ListCertificates'], certificates.list(), byAge, asked);
      return {
        certificates: items.map(({ arn, id, status, createdAt }) => ({
          certificateArn: arn,
          certificateId: id,
          status,
          certificateMode: 'DEFAULT',
          creationDate: seconds(createdAt),
        })),
        nextMarker,
      };
    }),
    operation(
      'UpdateCertificate',
      'PUT /certificates/{certificateId}',
      {
        path: OfCertificate,
        query: z.object({ newStatus: NewStatus }),
        errors: [...USUAL, 'ResourceNotFoundException', 'CertificateStateException'],
      },
      async ({ certificateId, newStatus }) => void (await certificates.setStatus(certificateId.toLowerCase(), newStatus)),
    ),
    operation(
      'DeleteCertificate',
      'DELETE /certificates/{certificateId}',
      {
        path: OfCertificate,
        query: z.object({ forceDelete: QueryBool.optional() }),
        errors: [...USUAL, 'ResourceNotFoundException', 'CertificateStateException', 'DeleteConflictException'],
      },
      ({ certificateId, forceDelete = false }) => certificates.remove(certificateId.toLowerCase(), { force: forceDelete }).then(nothing),
    ),
    operation(
      'CreatePolicy',
      'POST /policies/{policyName}',
      {
        path: OfPolicy,
        body: z.object({ policyDocument: z.string().max(404_600), tags: TagList.optional() }),
        errors: [...USUAL, 'ResourceAlreadyExistsException', 'MalformedPolicyException'],
      },
      async ({ policyName, policyDocument, tags: wanted }) => {
        if (policies.list().some(({ name }) => name === policyName))
          throw new AwsFailure('ResourceAlreadyExistsException', `Policy cannot be created - name already exists (name=${policyName})`, {
            resourceId: policyName,
            resourceArn: arnOf(place, 'policy', policyName),
          });
        const { arn, defaultVersionId } = await policies.create(policyName, policyDocument);
        if (wanted && wanted.length > 0) await tags.tag(arn, textsOf(wanted));
        return { policyName, policyArn: arn, policyDocument, policyVersionId: defaultVersionId };
      },
    ),
    operation(
      'GetPolicy',
      'GET /policies/{policyName}',
      { path: OfPolicy, errors: [...USUAL, 'ResourceNotFoundException'] },
      ({ policyName }) => {
        const { name, arn, versions, defaultVersionId, createdAt, lastModifiedAt } = policies.describe(policyName);
        return {
          policyName: name,
          policyArn: arn,
          policyDocument: versions.find(({ id }) => id === defaultVersionId)?.document,
          defaultVersionId,
          creationDate: seconds(createdAt),
          lastModifiedDate: seconds(lastModifiedAt),
          generationId: defaultVersionId,
        };
      },
    ),
    operation('ListPolicies', 'GET /policies', { query: Marking, errors: USUAL }, (asked, { pages }) => {
      const { items, nextMarker } = marked(pages, ['ListPolicies'], policies.list(), ({ name }) => name, asked);
      return { policies: items.map(({ name, arn }) => ({ policyName: name, policyArn: arn })), nextMarker };
    }),
    operation(
      'DeletePolicy',
      'DELETE /policies/{policyName}',
      { path: OfPolicy, errors: [...USUAL, 'ResourceNotFoundException', 'DeleteConflictException'] },
      async ({ policyName }) => {
        await policies.remove(policyName);
        await tags.forget(arnOf(place, 'policy', policyName));
      },
    ),
    operation(
      'AttachPolicy',
      'PUT /target-policies/{policyName}',
      { path: OfPolicy, body: z.object({ target: Arn }), errors: [...USUAL, 'ResourceNotFoundException', 'LimitExceededException'] },
      ({ policyName, target }) => policies.attach(policyName, target).then(nothing),
    ),
    operation(
      'DetachPolicy',
      'POST /target-policies/{policyName}',
      { path: OfPolicy, body: z.object({ target: Arn }), errors: [...USUAL, 'LimitExceededException'] },
      ({ policyName, target }) => policies.detach(policyName, target).then(nothing),
    ),
    operation(
      'ListAttachedPolicies',
      'POST /attached-policies/{target+}',
      {
        path: z.object({ target: Arn }),
        query: Marking.extend({ recursive: QueryBool.optional() }),
        errors: [...USUAL, 'ResourceNotFoundException', 'LimitExceededException'],
      },
      ({ target, recursive: _, ...asked }, { pages }) => {
        const attached = [...policies.attachedTo(target)].sort((a, b) => (a.name < b.name ? -1 : 1));
        const { items, nextMarker } = marked(pages, ['ListAttachedPolicies', target], attached, ({ name }) => name, asked);
        return { policies: items.map(({ name, arn }) => ({ policyName: name, policyArn: arn })), nextMarker };
      },
    ),
    operation(
      'CreateRoleAlias',
      'POST /role-aliases/{roleAlias}',
      {
        path: OfAlias,
        body: z.object({
          roleArn: z.string().min(20).max(2_048),
          credentialDurationSeconds: z.int().min(900).max(43_200).optional(),
          tags: TagList.optional(),
        }),
        errors: [...USUAL, 'ResourceAlreadyExistsException', 'LimitExceededException'],
      },
      async ({ roleAlias, roleArn, credentialDurationSeconds, tags: wanted }) => {
        if (credentials.roleAliases().some(({ alias }) => alias === roleAlias))
          throw new AwsFailure('ResourceAlreadyExistsException', `Role alias ${roleAlias} already exists`, {
            resourceId: roleAlias,
            resourceArn: arnOf(place, 'rolealias', roleAlias),
          });
        const { alias, arn } = await credentials.createRoleAlias(roleAlias, {
          roleArn,
          ...(credentialDurationSeconds === undefined ? {} : { credentialDurationSeconds }),
        });
        if (wanted && wanted.length > 0) await tags.tag(arn, textsOf(wanted));
        return { roleAlias: alias, roleAliasArn: arn };
      },
    ),
    operation(
      'DescribeRoleAlias',
      'GET /role-aliases/{roleAlias}',
      { path: OfAlias, errors: [...USUAL, 'ResourceNotFoundException'] },
      ({ roleAlias }) => {
        const { alias, arn, roleArn, credentialDurationSeconds, createdAt, lastModifiedAt } = credentials.describeRoleAlias(roleAlias);
        return {
          roleAliasDescription: {
            roleAlias: alias,
            roleAliasArn: arn,
            roleArn,
            owner: place.account,
            credentialDurationSeconds,
            creationDate: seconds(createdAt),
            lastModifiedDate: seconds(lastModifiedAt),
          },
        };
      },
    ),
    operation(
      'UpdateRoleAlias',
      'PUT /role-aliases/{roleAlias}',
      {
        path: OfAlias,
        body: z.object({
          roleArn: z.string().min(20).max(2_048).optional(),
          credentialDurationSeconds: z.int().min(900).max(43_200).optional(),
        }),
        errors: [...USUAL, 'ResourceNotFoundException'],
      },
      async ({ roleAlias, ...changes }) => {
        const { alias, arn } = await credentials.updateRoleAlias(roleAlias, changes as { roleArn?: string });
        return { roleAlias: alias, roleAliasArn: arn };
      },
    ),
    operation('ListRoleAliases', 'GET /role-aliases', { query: Marking, errors: USUAL }, (asked, { pages }) => {
      const { items, nextMarker } = marked(pages, ['ListRoleAliases'], credentials.roleAliases(), ({ alias }) => alias, asked);
      return { roleAliases: items.map(({ alias }) => alias), nextMarker };
    }),
    operation(
      'DeleteRoleAlias',
      'DELETE /role-aliases/{roleAlias}',
      { path: OfAlias, errors: [...USUAL, 'ResourceNotFoundException', 'DeleteConflictException'] },
      async ({ roleAlias }) => {
        await credentials.removeRoleAlias(roleAlias);
        await tags.forget(arnOf(place, 'rolealias', roleAlias));
        return {};
      },
    ),
    operation(
      'DescribeEndpoint',
      'GET /endpoint',
      {
        query: z.object({ endpointType: z.string().max(128).optional() }),
        errors: ['InternalFailureException', 'InvalidRequestException', 'UnauthorizedException', 'ThrottlingException'],
      },
      ({ endpointType = 'iot:Data' }) => ({ endpointAddress: endpoints.of(endpointType) }),
    ),
  ];
}

const nothing = () => undefined;

/** Oldest first, and by id within one millisecond. */
const byAge = ({ createdAt, id }: Certificate) => `${String(createdAt).padStart(16, '0')}${id}`;

function marked<T>(
  pages: Pages,
  list: readonly unknown[],
  items: readonly T[],
  keyOf: (item: T) => string,
  { pageSize, marker, isAscendingOrder = false }: z.infer<typeof Marking>,
): { readonly items: readonly T[]; readonly nextMarker: string | undefined } {
  const keyed = [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  if (!isAscendingOrder && list[0] === 'ListCertificates') keyed.reverse(); // AWS IoT: the newest first unless asked otherwise
  const descending = !isAscendingOrder && list[0] === 'ListCertificates';
  const { items: shown, token } = pages.cut([...list, isAscendingOrder], keyed, keyOf, { limit: pageSize, token: marker, descending });
  return { items: shown, nextMarker: token };
}
