/** `--report junit=F,json=F,html=F`: which reports are wanted, and their way onto the disk. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { didYouMean, EnvironmentLacking, reasonOf, UsageError } from '../../actors/contracts/errors.ts';
import { junitXml } from './junit.ts';
import { type Drawing, type PlayedStory, reportPage } from './page.ts';

const FORMATS = ['junit', 'json', 'html'] as const;
type Format = (typeof FORMATS)[number];

export type ReportFiles = readonly { readonly format: Format; readonly file: string }[];

/** @throws UsageError naming the part that is none. */
export function parseReportOption(text: string): ReportFiles {
  const files = text.split(',').map((part) => {
    const [, name = part, file = ''] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    const format = FORMATS.find((known) => known === name);
    if (!format)
      throw new UsageError(`--report ${part}: no format ${JSON.stringify(name)}.${didYouMean(name, FORMATS)}`, {
        hint: 'as --report junit=report.xml,json=report.json,html=report.html',
      });
    if (file === '')
      throw new UsageError(`--report ${part}: into which file?`, { hint: `as ${format}=report.${format === 'junit' ? 'xml' : format}` });
    return { format, file };
  });
  const twice = files.find(({ file }, i) => files.findIndex((other) => resolve(other.file) === resolve(file)) !== i);
  if (twice) throw new UsageError(`--report names the file ${twice.file} twice`);
  return files;
}

/** Writes each aside and renames it: what reads them never sees half a report. @throws EnvironmentLacking */
export function writeReports(files: ReportFiles, stories: readonly PlayedStory[], drawing: Drawing): void {
  const reports = stories.map(({ report }) => report);
  const print: Readonly<Record<Format, () => string>> = {
    junit: () => junitXml(reports),
    json: () => `${JSON.stringify(reports, null, 1)}\n`,
    html: () => reportPage(stories, drawing),
  };
  for (const { format, file } of files) {
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.tmp`, print[format]());
      renameSync(`${file}.tmp`, file);
    } catch (error) {
      throw new EnvironmentLacking(`the ${format} report cannot be written to ${file}: ${reasonOf(error)}`, {
        cause: error,
        hint: 'name another file, or make room on the disk',
      });
    }
  }
}
