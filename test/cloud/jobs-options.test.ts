import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import { readUpOptions } from '../../cloud/config.ts';
import { QUOTAS } from '../../cloud/jobs/limits.ts';

const options = suite('options of the job service');

options('are AWS’s defaults unless a flag, the environment or the file says otherwise', () => {
  const { strictJobs, jobQuotas } = readUpOptions({}, {}, '/nowhere');
  assert.equal([strictJobs, jobQuotas], [false, QUOTAS]);
  assert.is(readUpOptions({ strictJobs: true }, {}, '/nowhere', 'cloud').strictJobs, true);
  assert.is(readUpOptions({}, { WINDFLEET_STRICT_JOBS: 'true' }, '/nowhere').strictJobs, true);
  assert.is(readUpOptions({}, { WINDFLEET_STRICT_JOBS: '0' }, '/nowhere').strictJobs, false);
  assert.equal(readUpOptions({ jobQuotas: { activeJobs: 5 } }, {}, '/nowhere').jobQuotas, { ...QUOTAS, activeJobs: 5 });
  assert.equal(readUpOptions({ activeJobs: '7' }, { WINDFLEET_ACTIVE_JOBS: '6', WINDFLEET_JOB_TEMPLATES: '3' }, '/nowhere').jobQuotas, {
    activeJobs: 7,
    templates: 3,
  });
});

options('what is none is named', () => {
  for (const [given, says] of [
    [{ jobQuotas: { activeJobs: 0 } }, /jobQuotas\.activeJobs/],
    [{ jobQuotas: { activeJob: 5 } }, /activeJob/],
    [{ jobQuotas: { templates: 1.5 } }, /jobQuotas\.templates/],
    [{ strictJobs: 'perhaps' }, /strictJobs/],
    [{ activeJobs: 'many' }, /--active-jobs: activeJobs/],
    [{ jobTemplates: '0' }, /--job-templates/],
  ] as const)
    assert.throws(
      () => readUpOptions(given, {}, '/nowhere'),
      (error: unknown) => error instanceof ConfigInvalid && says.test(error.message),
    );
});

options.run();
