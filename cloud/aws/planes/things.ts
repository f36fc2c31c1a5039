/** Control plane: things and their types. */
import { z } from 'zod';
import type { Registry, Tags, ThingType } from '../../things/ports.ts';
import { arnOf, type Place } from '../../things/arns.ts';
import { AwsFailure } from '../failure.ts';
import { type Operation, operation } from '../operation.ts';
import { Arn, AttributePayload, orAbsent, Paging, QueryBool, QueryInt, RegistryName, seconds, TagList, textsOf, USUAL } from '../shapes.ts';

const Named = z.object({ thingName: RegistryName });
const TypeNamed = z.object({ thingTypeName: RegistryName });
const PrincipalHeader = z.object({ 'x-amzn-principal': Arn });

export function thingOperations(registry: Registry, tags: Tags, place: Place): readonly Operation[] {
  const described = (type: ThingType) => ({
    thingTypeName: type.name,
    thingTypeArn: arnOf(place, 'thingtype', type.name),
    thingTypeProperties: { thingTypeDescription: orAbsent(type.description), searchableAttributes: type.searchableAttributes },
    thingTypeMetadata: {
      deprecated: type.deprecatedAt !== null,
      deprecationDate: seconds(type.deprecatedAt),
      creationDate: seconds(type.createdAt),
    },
  });

  return [
    operation(
      'CreateThing',
      'POST /things/{thingName}',
      {
        path: Named,
        body: z.object({
          thingTypeName: RegistryName.optional(),
          attributePayload: AttributePayload.optional(),
          billingGroupName: RegistryName.optional(),
        }),
        errors: [...USUAL, 'ResourceAlreadyExistsException', 'ResourceNotFoundException'],
      },
      async ({ thingName, thingTypeName, attributePayload, billingGroupName }) => {
        if (billingGroupName !== undefined) throw new AwsFailure('ResourceNotFoundException', `no billing group ${billingGroupName}`);
        const wanted = { typeName: thingTypeName ?? null, attributes: attributePayload?.attributes ?? {} };
        if (registry.has(thingName)) {
          const known = registry.describe(thingName);
          // AWS IoT: the same thing made again is no error
          if (known.typeName === wanted.typeName && sameTexts(known.attributes, wanted.attributes)) return created(known);
          throw new AwsFailure('ResourceAlreadyExistsException', `Thing ${thingName} already exists in account with different properties`, {
            resourceId: known.id,
            resourceArn: arnOf(place, 'thing', thingName),
          });
        }
        return created(
          await registry.create({
            name: thingName,
            ...(thingTypeName === undefined ? {} : { typeName: thingTypeName }),
            attributes: wanted.attributes,
          }),
        );
      },
    ),
    operation(
      'DescribeThing',
      'GET /things/{thingName}',
      { path: Named, errors: [...USUAL, 'ResourceNotFoundException'] },
      ({ thingName }) => {
        const { name, id, typeName, attributes, version } = registry.describe(thingName);
        return {
          defaultClientId: name,
          thingName: name,
          thingId: id,
          thingArn: arnOf(place, 'thing', name),
          thingTypeName: typeName ?? undefined,
          attributes,
          version,
        };
      },
    ),
    operation(
      'ListThings',
      'GET /things',
      {
        query: Paging.extend({
          attributeName: z.string().max(128).optional(),
          attributeValue: z.string().max(800).optional(),
          thingTypeName: RegistryName.optional(),
          usePrefixAttributeValue: QueryBool.optional(),
        }),
        errors: USUAL,
      },
      ({ maxResults, nextToken, attributeName, attributeValue, thingTypeName, usePrefixAttributeValue = false }, { pages }) => {
        if ((attributeName === undefined) !== (attributeValue === undefined))
          throw new AwsFailure('InvalidRequestException', 'attributeName and attributeValue go together');
        const found = registry.list({
          ...(thingTypeName === undefined ? {} : { typeName: thingTypeName }),
          ...(attributeName === undefined || attributeValue === undefined
            ? {}
            : { attribute: { name: attributeName, value: attributeValue, byPrefix: usePrefixAttributeValue } }),
        });
        const page = pages.cut(
          ['ListThings', attributeName, attributeValue, thingTypeName, usePrefixAttributeValue],
          found,
          ({ name }) => name,
          { limit: maxResults, token: nextToken },
        );
        const things = page.items.map(({ name, typeName, attributes, version }) => ({
          thingName: name,
          thingTypeName: typeName ?? undefined,
          thingArn: arnOf(place, 'thing', name),
          attributes,
          version,
        }));
        return { things, nextToken: page.token };
      },
    ),
    operation(
      'UpdateThing',
      'PATCH /things/{thingName}',
      {
        path: Named,
        body: z.object({
          thingTypeName: RegistryName.optional(),
          attributePayload: AttributePayload.optional(),
          expectedVersion: z.int().optional(),
          removeThingType: z.boolean().optional(),
        }),
        errors: [...USUAL, 'VersionConflictException', 'ResourceNotFoundException'],
      },
      async ({ thingName, thingTypeName, attributePayload, expectedVersion, removeThingType }) => {
        await registry.update(thingName, {
          ...(thingTypeName === undefined ? {} : { typeName: thingTypeName }),
          ...(removeThingType === undefined ? {} : { removeType: removeThingType }),
          ...(attributePayload?.attributes ? { attributes: attributePayload.attributes } : {}),
          ...(attributePayload?.merge === undefined ? {} : { mergeAttributes: attributePayload.merge }),
          ...(expectedVersion === undefined ? {} : { expectedVersion }),
        });
        return {};
      },
    ),
    operation(
      'DeleteThing',
      'DELETE /things/{thingName}',
      {
        path: Named,
        query: z.object({ expectedVersion: QueryInt.optional() }),
        errors: [...USUAL, 'ResourceNotFoundException', 'VersionConflictException'],
      },
      async ({ thingName, expectedVersion }) => {
        await registry.remove(thingName, expectedVersion);
        return {};
      },
    ),
    operation(
      'AttachThingPrincipal',
      'PUT /things/{thingName}/principals',
      { path: Named, headers: PrincipalHeader, errors: [...USUAL, 'ResourceNotFoundException'] },
      async ({ thingName, 'x-amzn-principal': principal }) => {
        await registry.attachPrincipal(thingName, principal);
        return {};
      },
    ),
    operation(
      'DetachThingPrincipal',
      'DELETE /things/{thingName}/principals',
      { path: Named, headers: PrincipalHeader, errors: [...USUAL, 'ResourceNotFoundException'] },
      async ({ thingName, 'x-amzn-principal': principal }) => {
        await registry.detachPrincipal(thingName, principal);
        return {};
      },
    ),
    operation(
      'ListThingPrincipals',
      'GET /things/{thingName}/principals',
      { path: Named, query: Paging, errors: [...USUAL, 'ResourceNotFoundException'] },
      ({ thingName, maxResults, nextToken }, { pages }) => {
        registry.describe(thingName);
        const page = pages.cut(['ListThingPrincipals', thingName], [...registry.principalsOf(thingName)].sort(), (arn) => arn, {
          limit: maxResults,
          token: nextToken,
        });
        return { principals: page.items, nextToken: page.token };
      },
    ),
    operation(
      'ListPrincipalThings',
      'GET /principals/things',
      { headers: PrincipalHeader, query: Paging, errors: [...USUAL, 'ResourceNotFoundException'] },
      ({ 'x-amzn-principal': principal, maxResults, nextToken }, { pages }) => {
        const page = pages.cut(['ListPrincipalThings', principal], registry.thingsOf(principal), (name) => name, {
          limit: maxResults,
          token: nextToken,
        });
        return { things: page.items, nextToken: page.token };
      },
    ),
    operation(
      'CreateThingType',
      'POST /thing-types/{thingTypeName}',
      {
        path: TypeNamed,
        body: z.object({
          thingTypeProperties: z
            .object({
              thingTypeDescription: z.string().max(2_028).optional(),
              searchableAttributes: z.array(RegistryName).max(3).optional(),
            })
            .optional(),
          tags: TagList.optional(),
        }),
        errors: [...USUAL, 'ResourceAlreadyExistsException'],
      },
      async ({ thingTypeName, thingTypeProperties = {}, tags: wanted }) => {
        const arn = arnOf(place, 'thingtype', thingTypeName);
        const known = registry.types().find(({ name }) => name === thingTypeName);
        if (known)
          throw new AwsFailure('ResourceAlreadyExistsException', `Thing type ${thingTypeName} already exists`, {
            resourceId: known.id,
            resourceArn: arn,
          });
        const { thingTypeDescription, searchableAttributes } = thingTypeProperties;
        const type = await registry.createType({
          name: thingTypeName,
          ...(thingTypeDescription === undefined ? {} : { description: thingTypeDescription }),
          ...(searchableAttributes === undefined ? {} : { searchableAttributes }),
        });
        if (wanted && wanted.length > 0) await tags.tag(arn, textsOf(wanted));
        return { thingTypeName: type.name, thingTypeArn: arn, thingTypeId: type.id };
      },
    ),
    operation(
      'DescribeThingType',
      'GET /thing-types/{thingTypeName}',
      { path: TypeNamed, errors: [...USUAL, 'ResourceNotFoundException'] },
      ({ thingTypeName }) => {
        const type = registry.describeType(thingTypeName);
        return { thingTypeId: type.id, ...described(type) };
      },
    ),
    operation(
      'ListThingTypes',
      'GET /thing-types',
      { query: Paging.extend({ thingTypeName: RegistryName.optional() }), errors: USUAL },
      ({ maxResults, nextToken, thingTypeName }, { pages }) => {
        const found = registry.types().filter(({ name }) => thingTypeName === undefined || name === thingTypeName);
        const page = pages.cut(['ListThingTypes', thingTypeName], found, ({ name }) => name, { limit: maxResults, token: nextToken });
        return { thingTypes: page.items.map(described), nextToken: page.token };
      },
    ),
    operation(
      'DeprecateThingType',
      'POST /thing-types/{thingTypeName}/deprecate',
      { path: TypeNamed, body: z.object({ undoDeprecate: z.boolean().optional() }), errors: [...USUAL, 'ResourceNotFoundException'] },
      async ({ thingTypeName, undoDeprecate = false }) => {
        await registry.deprecateType(thingTypeName, undoDeprecate);
        return {};
      },
    ),
    operation(
      'DeleteThingType',
      'DELETE /thing-types/{thingTypeName}',
      { path: TypeNamed, errors: [...USUAL, 'ResourceNotFoundException'] },
      async ({ thingTypeName }) => {
        await registry.removeType(thingTypeName);
        await tags.forget(arnOf(place, 'thingtype', thingTypeName));
        return {};
      },
    ),
  ];

  function created({ name, id }: { readonly name: string; readonly id: string }) {
    return { thingName: name, thingArn: arnOf(place, 'thing', name), thingId: id };
  }
}

const sameTexts = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>) =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value);
