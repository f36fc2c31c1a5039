/** Control plane: job templates. */
import { z } from 'zod';
import { JobRefused } from '../../../actors/contracts/errors.ts';
import type { JobsControl, NewJobTemplate } from '../../../actors/contracts/jobs.ts';
import { arnOf, type Place } from '../../things/arns.ts';
import type { Tags } from '../../things/ports.ts';
import { AwsFailure } from '../failure.ts';
import { type Operation, operation } from '../operation.ts';
import { JobId, Paging, seconds, TagList, textsOf, USUAL_OF_GROUPS as USUAL } from '../shapes.ts';
import { Description, DocumentSource, JobDocument, MaintenanceWindows, Settings, settingsOf } from './job-shapes.ts';

const OfTemplate = z.object({ jobTemplateId: JobId });

export function jobTemplateOperations(jobs: JobsControl, tags: Tags, place: Place): readonly Operation[] {
  return [
    operation(
      'CreateJobTemplate',
      'PUT /job-templates/{jobTemplateId}',
      {
        path: OfTemplate,
        body: Settings.extend({
          description: Description,
          jobArn: z.string().min(1).max(2_048).optional(),
          documentSource: DocumentSource.optional(),
          document: JobDocument.optional(),
          tags: TagList.optional(),
          maintenanceWindows: MaintenanceWindows.optional(),
          destinationPackageVersions: z.array(z.string().min(1).max(1_600)).optional(),
        }),
        errors: [...USUAL, 'ResourceNotFoundException', 'ConflictException', 'LimitExceededException'],
      },
      async ({ tags: wanted, ...order }) => {
        const arn = arnOf(place, 'jobtemplate', order.jobTemplateId);
        try {
          await jobs.createTemplate(order as NewJobTemplate);
        } catch (error) {
          if (error instanceof JobRefused && error.reason === 'Conflict')
            throw new AwsFailure('ConflictException', error.message, { resourceId: order.jobTemplateId });
          throw error;
        }
        if (wanted && wanted.length > 0) await tags.tag(arn, textsOf(wanted));
        return { jobTemplateArn: arn, jobTemplateId: order.jobTemplateId };
      },
    ),
    operation(
      'DescribeJobTemplate',
      'GET /job-templates/{jobTemplateId}',
      { path: OfTemplate, errors: [...USUAL, 'ResourceNotFoundException'] },
      async ({ jobTemplateId }) => {
        const template = await jobs.describeTemplate(jobTemplateId);
        return {
          jobTemplateArn: arnOf(place, 'jobtemplate', template.jobTemplateId),
          jobTemplateId: template.jobTemplateId,
          description: template.description,
          documentSource: template.documentSource,
          document: template.document,
          createdAt: seconds(template.createdAt),
          ...settingsOf(template),
          maintenanceWindows: template.maintenanceWindows,
          destinationPackageVersions: template.destinationPackageVersions,
        };
      },
    ),
    operation('ListJobTemplates', 'GET /job-templates', { query: Paging, errors: USUAL }, async ({ maxResults, nextToken }, { pages }) => {
      const list = ['ListJobTemplates'];
      const page = await jobs.pageTemplates({
        limit: maxResults ?? 250,
        ...(nextToken === undefined ? {} : { after: pages.open(list, nextToken) }),
      });
      return {
        jobTemplates: page.items.map(({ jobTemplateId, description, createdAt }) => ({
          jobTemplateArn: arnOf(place, 'jobtemplate', jobTemplateId),
          jobTemplateId,
          description,
          createdAt: seconds(createdAt),
        })),
        nextToken: page.next === null ? undefined : pages.seal(list, page.next),
      };
    }),
    operation(
      'DeleteJobTemplate',
      'DELETE /job-templates/{jobTemplateId}',
      { path: OfTemplate, errors: [...USUAL, 'ResourceNotFoundException'] },
      async ({ jobTemplateId }) => {
        await jobs.removeTemplate(jobTemplateId);
        await tags.forget(arnOf(place, 'jobtemplate', jobTemplateId));
      },
    ),
  ];
}
