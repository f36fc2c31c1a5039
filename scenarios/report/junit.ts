/**
 * Reports as JUnit's XML: a suite a story, a case an expectation. It fits both schemas that build servers go by: Ant's strict one (order
 * and attributes of everything) and that of Jenkins.
 */
import { clockTime } from '../expect/clock-time.ts';
import type { ReportedExpectation, StoryReport } from './story-report.ts';

export const junitXml = (reports: readonly StoryReport[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${reports.map(suite).join('')}</testsuites>\n`;

function suite(report: StoryReport, id: number): string {
  const cases = report.expectations.map((expected) => testCase(report, expected));
  if (report.broke !== null)
    cases.push(caseOf(report, 'the story is played to its end', `<error${attributes({ type: 'broke', message: report.broke })}/>`));
  const attrs = attributes({
    name: report.name,
    package: 'windfleet.scenario',
    id: String(id),
    timestamp: report.startedAt.slice(0, 19), // the strict schema wants no zone
    hostname: 'localhost',
    tests: String(cases.length),
    failures: String(report.expectations.filter(({ passed }) => !passed).length),
    errors: String(report.broke === null ? 0 : 1),
    time: report.wallSeconds.toFixed(3),
  });
  const facts = { seed: String(report.seed), digest: report.digest, command: report.command, vectorFeatures: report.vectorFeatures };
  const properties = Object.entries(facts).map(([name, value]) => `    <property${attributes({ name, value })}/>\n`);
  return `<testsuite${attrs}>
  <properties>
${properties.join('')}  </properties>
${cases.join('')}  <system-out>${escapeXml(`digest: ${report.digest}\n`)}</system-out>
  <system-err/>
</testsuite>
`;
}

function testCase(report: StoryReport, expected: ReportedExpectation): string {
  if (expected.passed) return caseOf(report, expected.expectation, '');
  const { wanted, got, at, nearby, look, where } = expected;
  const told = [
    ...(where === null ? [] : [where]),
    `wanted: ${wanted}`,
    `got: ${got}`,
    ...(at === null ? [] : [`first wrong at ${clockTime(at)}`]),
    ...nearby.map((event) => `  ${clockTime(event.at)}  ${event.kind}  ${event.of}  ${JSON.stringify(event.what)}`),
    ...(look === null ? [] : [`look there: ${look}`]),
  ].join('\n');
  const failure = `<failure${attributes({ type: 'expectation', message: `wanted ${wanted}; got ${got}` })}>${escapeXml(told)}</failure>`;
  return caseOf(report, expected.expectation, failure);
}

// The time of the run is the suite's: expectations are judged together, when it has been played.
const caseOf = (report: StoryReport, name: string, inner: string): string => {
  const attrs = attributes({ name, classname: `windfleet.scenario.${report.name}`, time: '0' });
  return inner === '' ? `  <testcase${attrs}/>\n` : `  <testcase${attrs}>${inner}</testcase>\n`;
};

const attributes = (named: Readonly<Record<string, string>>): string =>
  Object.entries(named)
    .map(([name, value]) => ` ${name}="${escapeXml(value).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`)
    .join('');

/** What XML 1.0 cannot hold at all is shown as a replacement character. */
const escapeXml = (text: string): string =>
  text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD').replace(/[&<>"\r]/g, (c) => ESCAPES[c]);

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' };
