/**
 * Long series, a lane each: what `npm test` runs a slice of.
 *
 *   node dist/test/long/main.js [lane …]
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a lane's file exports. @param say prints a line of progress; a lane that finds something wrong throws */
export type Lane = (say: (line: string) => void) => Promise<readonly string[]>;

const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.js') && file !== 'main.js')
  .map((file) => file.slice(0, -'.js'.length))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((lane) => !known.includes(lane));
if (unknown.length > 0) {
  console.error(`no lane ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}

let failed = 0;
for (const name of wanted.length > 0 ? wanted : known) {
  const began = Date.now();
  const { lane } = (await import(join(import.meta.dirname, `${name}.js`))) as { lane: Lane };
  const seconds = () => ((Date.now() - began) / 1_000).toFixed(1);
  try {
    const figures = await lane((line) => console.log(`${name}  ${seconds()} s  ${line}`));
    console.log(`ok      ${name}  ${seconds()} s`);
    for (const figure of figures) console.log(`        ${figure}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}  ${seconds()} s`);
    console.log(error);
  }
}
console.log(`${failed} lanes failed`);
process.exitCode = failed > 0 ? 1 : 0;
