/** The control plane: what an operator may ask of jobs and their executions. */
import { JobRefused } from '../../actors/contracts/errors.ts';
import { isTerminal, type Job, type JobExecution, type JobsControl, type JobTemplate, type Page } from '../../actors/contracts/jobs.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Course, JobPorts } from './course.ts';
import { createJobs, documentOf } from './create.ts';
import { changedEvents, noEvents } from './events.ts';
import { checkDetails, ended, type Execution, shown } from './executions.ts';
import { MAX_DELETIONS, MAX_TARGETS, PAGE } from './limits.ts';
import type { Members } from './members.ts';
import { checkSettings, checkTemplate, checkTexts } from './order.ts';
import { isOver, jobOf, type JobRecord } from './record.ts';
import type { Rollout } from './rollout.ts';
import { readWindow } from './schedule.ts';
import { findTemplate, idOf, settingsOf, templateFrom } from './templates.ts';

export function openControl(ports: JobPorts, course: Course, members: Members, rollout: Rollout): JobsControl {
  const { ledger, quotas, objects, listeners } = ports;
  const find = (jobId: string): JobRecord => {
    const record = ledger.job(jobId);
    if (!record) throw new JobRefused('ResourceNotFound', `there is no job ${jobId}`);
    return record;
  };
  const findExecution = (thing: ThingName, jobId: string, executionNumber?: number) => {
    const record = find(jobId);
    const execution = ledger.find(record, thing, executionNumber);
    if (!execution) throw new JobRefused('ResourceNotFound', `thing ${thing} has no execution ${executionNumber ?? ''} of job ${jobId}`);
    return { record, execution };
  };
  const newestFirst = () => [...ledger.jobs()].reverse();
  const see = (record: JobRecord): Job => jobOf(record, course.now());

  return {
    create: createJobs(ports, course, members, rollout),
    describe: (jobId) => ledger.read(() => see(find(jobId))),
    list: () => ledger.read(() => newestFirst().map(see)),
    page: ({ after, limit, status, targetSelection, thingGroup, namespaceId }) =>
      ledger.read(() => {
        const before = after === undefined ? Infinity : keyIn(after);
        const found = newestFirst().filter(
          ({ key, config, state }) =>
            key < before &&
            (status === undefined || state.status === status) &&
            (targetSelection === undefined || config.targetSelection === targetSelection) &&
            (namespaceId === undefined || config.namespaceId === namespaceId) &&
            (thingGroup === undefined ||
              config.targets.some((target) => target === thingGroup || target.endsWith(`thinggroup/${thingGroup}`))),
        );
        const records = found.slice(0, pageOf(limit));
        return { items: records.map(see), next: found.length > records.length ? String(records[records.length - 1].key) : null };
      }),

    async executions(jobId, { limit = -1 } = {}) {
      const { key } = find(jobId);
      return (await ledger.stored((store) => store.ofJob(key, { latest: true, limit }))).map(shown);
    },
    async executionsOfJob(jobId, { after, limit, status } = {}) {
      const { key } = find(jobId);
      const wanted = pageOf(limit);
      const query = {
        ...(status ? { status: [status] } : {}),
        ...(after === undefined ? {} : { after: placeIn(after) }),
        limit: wanted + 1,
      };
      const found = await ledger.stored((store) => store.ofJob(key, query));
      return paged(found, wanted, ({ executionNumber, thing }) => `${executionNumber}/${thing}`);
    },
    async executionsOfThing(thing, { after, limit, status, jobId, namespaceId } = {}) {
      const found = await ledger.stored((store) => store.ofThing(thing));
      const wanted = pageOf(limit);
      const place = (one: Execution) => `${one.executionNumber}/${one.jobId}`;
      const from = after === undefined ? 0 : found.findIndex((one) => place(one) === after) + 1;
      if (after !== undefined && from === 0) throw new JobRefused('InvalidRequest', 'nextToken is none of this list');
      const matching = found
        .slice(from)
        .filter(
          (one) =>
            (status === undefined || one.status === status) &&
            (jobId === undefined || one.jobId === jobId) &&
            (namespaceId === undefined || ledger.job(one.jobId)?.config.namespaceId === namespaceId),
        );
      return paged(matching.slice(0, wanted + 1), wanted, place);
    },
    describeExecution: (thing, jobId, executionNumber) => ledger.read(() => shown(findExecution(thing, jobId, executionNumber).execution)),
    document: (jobId, { beforeSubstitution = false } = {}) =>
      ledger.read(() => {
        const record = find(jobId);
        return beforeSubstitution ? record.config.document : course.documentText(record);
      }),

    update: (jobId, settings) =>
      ledger.write(() => {
        const record = find(jobId);
        const config = { ...record.config, ...settingsOf(settings) };
        checkSettings(config);
        if (isOver(record)) throw new JobRefused('InvalidRequest', `job ${jobId} is ${record.state.status}`);
        record.config = config;
        record.state.lastUpdatedAt = course.now();
        ledger.touch(record, true);
        course.told(record);
      }),
    async cancel(jobId, { force = false, reasonCode, comment } = {}) {
      checkTexts({ reasonCode, comment });
      const cancelled = await ledger.write(() => {
        const record = find(jobId);
        if (isOver(record))
          throw new JobRefused('InvalidStateTransition', `job ${jobId} is ${record.state.status}: there is nothing left to cancel`);
        course.cancel(record, {
          force,
          ...(reasonCode === undefined ? {} : { reasonCode }),
          ...(comment === undefined ? {} : { comment }),
        });
        return record.key;
      });
      // the first batch at once: small jobs are cancelled when this resolves
      return ledger.write(() => {
        const record = find(jobId);
        if (record.key === cancelled && (record.state.work === 'cancel' || record.state.work === 'force-cancel')) rollout.advance(record);
        return see(record);
      });
    },
    remove: (jobId, { force = false } = {}) =>
      ledger.write(() => {
        const record = find(jobId);
        const { state } = record;
        if (state.status === 'DELETION_IN_PROGRESS')
          throw new JobRefused('InvalidStateTransition', `job ${jobId} is being deleted already`);
        if (!isOver(record) && !force)
          throw new JobRefused('InvalidStateTransition', `job ${jobId} is ${state.status}: cancel it first, or force`);
        const deletions = [...ledger.jobs()].filter((other) => other.state.status === 'DELETION_IN_PROGRESS').length;
        if (deletions >= MAX_DELETIONS)
          throw new JobRefused('LimitExceeded', `${deletions} jobs are being deleted, ${MAX_DELETIONS} at once at most`);
        state.status = 'DELETION_IN_PROGRESS';
        state.work = 'delete';
        state.lastUpdatedAt = course.now();
        ledger.touch(record);
        course.told(record, 'deletion_in_progress');
      }),
    associate: (jobId, targets, { comment } = {}) =>
      ledger.write(() => {
        checkTexts({ comment });
        const record = find(jobId);
        const { config, state } = record;
        if (config.targetSelection !== 'CONTINUOUS') throw new JobRefused('InvalidRequest', `job ${jobId} is not CONTINUOUS`);
        if (isOver(record) || state.stopped) throw new JobRefused('InvalidRequest', `job ${jobId} is over`);
        const all = [...new Set([...config.targets, ...targets])];
        if (targets.length === 0 || targets.some((target) => target.length === 0 || target.length > 2_048))
          throw new JobRefused('InvalidRequest', 'targets: one or more ARNs are wanted');
        if (all.length > MAX_TARGETS)
          throw new JobRefused('LimitExceeded', `job ${jobId} would have ${all.length} targets, ${MAX_TARGETS} at most`);
        members.resolve(targets);
        record.config = { ...config, targets: all };
        if (comment !== undefined) state.comment = comment;
        state.lastUpdatedAt = course.now();
        if (state.status === 'IN_PROGRESS') state.work = 'reconcile';
        ledger.touch(record, true);
        course.told(record);
        if (state.work === 'reconcile') rollout.advance(record);
        return see(record);
      }),
    cancelExecution: (thing, jobId, { force = false, expectedVersion, statusDetails } = {}) =>
      ledger.write(() => {
        if (statusDetails) checkDetails(statusDetails);
        const { record, execution } = findExecution(thing, jobId);
        if (expectedVersion !== undefined && expectedVersion !== execution.versionNumber)
          throw new JobRefused(
            'VersionConflict',
            `expected version ${expectedVersion}, the execution is at ${execution.versionNumber}`,
            shown(execution),
          );
        if (execution.status === 'IN_PROGRESS' && !force)
          throw new JobRefused('InvalidStateTransition', 'the execution is IN_PROGRESS: only force cancels it', shown(execution));
        course.change(
          record,
          execution,
          ended(execution, 'CANCELED', course.now(), {
            forced: execution.status === 'IN_PROGRESS',
            ...(statusDetails ? { statusDetails } : {}),
          }),
        );
      }),
    removeExecution: (thing, jobId, executionNumber, { force = false } = {}) =>
      ledger.write(() => {
        const { record, execution } = findExecution(thing, jobId, executionNumber);
        if (!isTerminal(execution.status) && !force)
          throw new JobRefused(
            'InvalidStateTransition',
            `the execution is ${execution.status}, which only force deletes`,
            shown(execution),
          );
        const latest = ledger.find(record, thing);
        course.remove(record, execution);
        if (latest?.executionNumber !== executionNumber) return; // an earlier attempt: it counts no more
        const { state } = record;
        state.counts[execution.status]--;
        if (execution.held) state.held--;
        const before = ledger.find(record, thing);
        if (before) state.counts[before.status]++;
        course.complete(record);
      }),

    async createTemplate(given) {
      const { jobArn, ...own } = given;
      const source = jobArn === undefined ? null : templateFrom(find(idOf(jobArn)));
      const document = await documentOf({ ...source, ...own }, objects);
      const merged = { ...source, ...own };
      checkTemplate(merged);
      for (const window of merged.maintenanceWindows ?? []) readWindow(window);
      return ledger.write(() => {
        const { jobTemplateId } = own;
        if (ledger.templates().has(jobTemplateId)) throw new JobRefused('Conflict', `there is a job template ${jobTemplateId} already`);
        if (ledger.templates().size >= quotas.templates)
          throw new JobRefused('LimitExceeded', `there are ${quotas.templates} job templates already`);
        const template: JobTemplate = { ...merged, document, createdAt: course.now() };
        ledger.putTemplate(jobTemplateId, template);
        return template;
      });
    },
    describeTemplate: (id) => ledger.read(() => findTemplate(ledger.templates(), id)),
    pageTemplates: ({ after = '', limit } = {}) =>
      ledger.read(() => {
        const found = [...ledger.templates().values()]
          .filter(({ jobTemplateId }) => jobTemplateId > after)
          .sort((a, b) => (a.jobTemplateId < b.jobTemplateId ? -1 : 1));
        const items = found.slice(0, pageOf(limit));
        return { items, next: found.length > items.length ? items[items.length - 1].jobTemplateId : null };
      }),
    removeTemplate: (id) =>
      ledger.write(() => {
        findTemplate(ledger.templates(), id);
        ledger.putTemplate(idOf(id), null);
      }),
    eventConfigurations: () => ledger.read(() => ledger.settings()?.events ?? noEvents()),
    updateEventConfigurations: (changes) =>
      ledger.write(() => ledger.putSettings({ events: changedEvents(ledger.settings()?.events ?? noEvents(), changes, course.now()) })),
    onChange: (changed) => {
      listeners.push(changed);
    },
  };
}

/** @throws JobRefused InvalidRequest */
function pageOf(limit = PAGE): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE)
    throw new JobRefused('InvalidRequest', `maxResults ${limit} is not within 1..${PAGE}`);
  return limit;
}

function paged(found: readonly Execution[], limit: number, place: (one: Execution) => string): Page<JobExecution> {
  const items = found.slice(0, limit);
  return { items: items.map(shown), next: found.length > limit ? place(items[limit - 1]) : null };
}

function keyIn(after: string): number {
  if (!/^\d{1,15}$/.test(after)) throw new JobRefused('InvalidRequest', 'nextToken is none of this list');
  return Number(after);
}

function placeIn(after: string): { readonly thing: ThingName; readonly executionNumber: number } {
  const match = /^(\d{1,9})\/(.{1,128})$/.exec(after);
  if (!match) throw new JobRefused('InvalidRequest', 'nextToken is none of this list');
  return { executionNumber: Number(match[1]), thing: match[2] };
}
