/** Control plane: thing groups, who is in them, and tags. */
import { z } from 'zod';
import { arnOf, parseArn, type Place } from '../../things/arns.ts';
import type { Registry, Tags } from '../../things/ports.ts';
import { AwsFailure } from '../failure.ts';
import { type Operation, operation } from '../operation.ts';
import {
  Arn,
  AttributePayload,
  orAbsent,
  Paging,
  QueryBool,
  QueryInt,
  RegistryName,
  seconds,
  TagKey,
  TagList,
  textsOf,
  USUAL_OF_GROUPS,
} from '../shapes.ts';

const Named = z.object({ thingGroupName: RegistryName });
const Properties = z.object({
  thingGroupDescription: z.string().max(2_028).optional(),
  attributePayload: AttributePayload.optional(),
});
const Membership = z.object({
  thingGroupName: RegistryName.optional(),
  thingGroupArn: Arn.optional(),
  thingName: RegistryName.optional(),
  thingArn: Arn.optional(),
});

/** @param exists whether there is a resource of that ARN, for tags */
export function groupOperations(
  registry: Registry,
  tags: Tags,
  place: Place,
  exists: (arn: string) => Promise<boolean>,
): readonly Operation[] {
  const named = (name: string) => ({ groupName: name, groupArn: arnOf(place, 'thinggroup', name) });
  const isGroup = (name: string) => registry.groups().some((group) => group.name === name);

  const properties = ({ thingGroupDescription, attributePayload }: z.infer<typeof Properties>) => ({
    ...(thingGroupDescription === undefined ? {} : { description: thingGroupDescription }),
    ...(attributePayload?.attributes ? { attributes: attributePayload.attributes } : {}),
  });

  /** A thing and a group by name or by ARN. */
  const pairOf = ({ thingGroupName, thingGroupArn, thingName, thingArn }: z.infer<typeof Membership>) => {
    const group = thingGroupName ?? nameOf(thingGroupArn, 'thinggroup');
    const thing = thingName ?? nameOf(thingArn, 'thing');
    if (group === undefined) throw new AwsFailure('InvalidRequestException', 'thingGroupName or thingGroupArn is needed');
    if (thing === undefined) throw new AwsFailure('InvalidRequestException', 'thingName or thingArn is needed');
    registry.describeGroup(group);
    registry.describe(thing);
    return { group, thing };
  };

  return [
    operation(
      'CreateThingGroup',
      'POST /thing-groups/{thingGroupName}',
      {
        path: Named,
        body: z.object({ parentGroupName: RegistryName.optional(), thingGroupProperties: Properties.optional(), tags: TagList.optional() }),
        errors: [...USUAL_OF_GROUPS, 'ResourceAlreadyExistsException'],
      },
      async ({ thingGroupName, parentGroupName, thingGroupProperties = {}, tags: wanted }) => {
        const arn = arnOf(place, 'thinggroup', thingGroupName);
        if (isGroup(thingGroupName))
          throw new AwsFailure('ResourceAlreadyExistsException', `Thing Group ${thingGroupName} already exists in current account`, {
            resourceId: registry.describeGroup(thingGroupName).id,
            resourceArn: arn,
          });
        const group = await registry.createGroup({
          name: thingGroupName,
          ...(parentGroupName === undefined ? {} : { parent: parentGroupName }),
          ...properties(thingGroupProperties),
        });
        if (wanted && wanted.length > 0) await tags.tag(arn, textsOf(wanted));
        return { thingGroupName: group.name, thingGroupArn: arn, thingGroupId: group.id };
      },
    ),
    operation(
      'DescribeThingGroup',
      'GET /thing-groups/{thingGroupName}',
      { path: Named, errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'] },
      ({ thingGroupName }) => {
        const { name, id, parent, description, attributes, version, createdAt } = registry.describeGroup(thingGroupName);
        return {
          thingGroupName: name,
          thingGroupId: id,
          thingGroupArn: arnOf(place, 'thinggroup', name),
          version,
          thingGroupProperties: { thingGroupDescription: orAbsent(description), attributePayload: { attributes } },
          thingGroupMetadata: {
            parentGroupName: parent ?? undefined,
            rootToParentThingGroups: registry.ancestorsOf(name).map(named),
            creationDate: seconds(createdAt),
          },
        };
      },
    ),
    operation(
      'ListThingGroups',
      'GET /thing-groups',
      {
        query: Paging.extend({
          parentGroup: RegistryName.optional(),
          namePrefixFilter: RegistryName.optional(),
          recursive: QueryBool.optional(),
        }),
        errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'],
      },
      ({ maxResults, nextToken, parentGroup, namePrefixFilter, recursive = true }, { pages }) => {
        if (parentGroup !== undefined) registry.describeGroup(parentGroup);
        const found = registry.groups({
          ...(parentGroup === undefined ? {} : { parent: parentGroup }),
          ...(namePrefixFilter === undefined ? {} : { prefix: namePrefixFilter }),
          recursive,
        });
        const page = pages.cut(['ListThingGroups', parentGroup, namePrefixFilter, recursive], found, ({ name }) => name, {
          limit: maxResults,
          token: nextToken,
        });
        return { thingGroups: page.items.map(({ name }) => named(name)), nextToken: page.token };
      },
    ),
    operation(
      'UpdateThingGroup',
      'PATCH /thing-groups/{thingGroupName}',
      {
        path: Named,
        body: z.object({ thingGroupProperties: Properties, expectedVersion: z.int().optional() }),
        errors: [...USUAL_OF_GROUPS, 'VersionConflictException', 'ResourceNotFoundException'],
      },
      async ({ thingGroupName, thingGroupProperties, expectedVersion }) => {
        const merge = thingGroupProperties.attributePayload?.merge;
        const { version } = await registry.updateGroup(thingGroupName, {
          ...properties(thingGroupProperties),
          ...(merge === undefined ? {} : { mergeAttributes: merge }),
          ...(expectedVersion === undefined ? {} : { expectedVersion }),
        });
        return { version };
      },
    ),
    operation(
      'DeleteThingGroup',
      'DELETE /thing-groups/{thingGroupName}',
      {
        path: Named,
        query: z.object({ expectedVersion: QueryInt.optional() }),
        errors: [...USUAL_OF_GROUPS, 'VersionConflictException'],
      },
      async ({ thingGroupName, expectedVersion }) => {
        if (!isGroup(thingGroupName)) return {}; // AWS IoT: a group that is not there is deleted already
        await registry.removeGroup(thingGroupName, expectedVersion);
        await tags.forget(arnOf(place, 'thinggroup', thingGroupName));
        return {};
      },
    ),
    operation(
      'AddThingToThingGroup',
      'PUT /thing-groups/addThingToThingGroup',
      {
        body: Membership.extend({ overrideDynamicGroups: z.boolean().optional() }),
        errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'],
      },
      async (input) => {
        const { thing, group } = pairOf(input);
        await registry.join(thing, group);
        return {};
      },
    ),
    operation(
      'RemoveThingFromThingGroup',
      'PUT /thing-groups/removeThingFromThingGroup',
      { body: Membership, errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'] },
      async (input) => {
        const { thing, group } = pairOf(input);
        await registry.leave(thing, group);
        return {};
      },
    ),
    operation(
      'UpdateThingGroupsForThing',
      'PUT /thing-groups/updateThingGroupsForThing',
      {
        body: z.object({
          thingName: RegistryName,
          thingGroupsToAdd: z.array(RegistryName).optional(),
          thingGroupsToRemove: z.array(RegistryName).optional(),
          overrideDynamicGroups: z.boolean().optional(),
        }),
        errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'],
      },
      async ({ thingName, thingGroupsToAdd = [], thingGroupsToRemove = [] }) => {
        registry.describe(thingName);
        for (const group of [...thingGroupsToAdd, ...thingGroupsToRemove]) registry.describeGroup(group);
        for (const group of thingGroupsToRemove) await registry.leave(thingName, group);
        for (const group of thingGroupsToAdd) await registry.join(thingName, group);
        return {};
      },
    ),
    operation(
      'ListThingsInThingGroup',
      'GET /thing-groups/{thingGroupName}/things',
      {
        path: Named,
        query: Paging.extend({ recursive: QueryBool.optional() }),
        errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'],
      },
      ({ thingGroupName, maxResults, nextToken, recursive = false }, { pages }) => {
        const page = pages.cut(
          ['ListThingsInThingGroup', thingGroupName, recursive],
          registry.members(thingGroupName, { recursive }),
          (name) => name,
          { limit: maxResults, token: nextToken },
        );
        return { things: page.items, nextToken: page.token };
      },
    ),
    operation(
      'ListThingGroupsForThing',
      'GET /things/{thingName}/thing-groups',
      { path: z.object({ thingName: RegistryName }), query: Paging, errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'] },
      ({ thingName, maxResults, nextToken }, { pages }) => {
        registry.describe(thingName);
        const page = pages.cut(['ListThingGroupsForThing', thingName], [...registry.groupsOf(thingName)].sort(), (name) => name, {
          limit: maxResults,
          token: nextToken,
        });
        return { thingGroups: page.items.map(named), nextToken: page.token };
      },
    ),
    operation(
      'TagResource',
      'POST /tags',
      {
        body: z.object({ resourceArn: Arn, tags: TagList }),
        errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException', 'LimitExceededException'],
      },
      async ({ resourceArn, tags: wanted }) => {
        await mustExist(resourceArn);
        await tags.tag(resourceArn, textsOf(wanted));
        return {};
      },
    ),
    operation(
      'UntagResource',
      'POST /untag',
      {
        body: z.object({ resourceArn: Arn, tagKeys: z.array(TagKey).max(50) }),
        errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'],
      },
      async ({ resourceArn, tagKeys }) => {
        await mustExist(resourceArn);
        await tags.untag(resourceArn, tagKeys);
        return {};
      },
    ),
    operation(
      'ListTagsForResource',
      'GET /tags',
      {
        query: z.object({ resourceArn: Arn, nextToken: z.string().optional() }),
        errors: [...USUAL_OF_GROUPS, 'ResourceNotFoundException'],
      },
      async ({ resourceArn, nextToken }, { pages }) => {
        await mustExist(resourceArn);
        const all = Object.entries(tags.of(resourceArn)).sort(([a], [b]) => (a < b ? -1 : 1));
        const page = pages.cut(['ListTagsForResource', resourceArn], all, ([key]) => key, { token: nextToken });
        return { tags: page.items.map(([Key, Value]) => ({ Key, Value })), nextToken: page.token };
      },
    ),
  ];

  async function mustExist(arn: string): Promise<void> {
    if (!parseArn(arn)) throw new AwsFailure('InvalidRequestException', 'resourceArn is no ARN of AWS IoT');
    if (!(await exists(arn))) throw new AwsFailure('ResourceNotFoundException', `there is no ${arn.slice(0, 300)}`);
  }
}

function nameOf(arn: string | undefined, kind: string): string | undefined {
  if (arn === undefined) return undefined;
  const parsed = parseArn(arn);
  if (parsed?.kind !== kind) throw new AwsFailure('InvalidRequestException', `an ARN of a ${kind} is needed`);
  return parsed.name;
}
