/**
 * Runs every compiled test file in a process of its own, two at a time, and ends with `N passed, N failed, N skipped`.
 *
 *   node dist/test/main.js [part of a path …]
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const FILE_TIMEOUT_MS = 240_000;

interface Result {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly output: string;
}

const folder = import.meta.dirname;
const wanted = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && existsSync(join(folder, '../../test', file.replace(/\.js$/, '.ts')))) // dist may hold yesterday's
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();

function runFile(file: string): Promise<Result> {
  const began = Date.now();
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--enable-source-maps', join(folder, file)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let output = '';
    const hear = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const late = setTimeout(() => {
      output += `\nstill running after ${FILE_TIMEOUT_MS / 1000} s\n`;
      child.kill('SIGKILL');
    }, FILE_TIMEOUT_MS);
    child.on('close', (code) => {
      clearTimeout(late);
      const count = (label: string) =>
        [...output.matchAll(new RegExp(`^ {2}${label}:\\s+(\\d+)`, 'gm'))].reduce((sum, [, n]) => sum + Number(n), 0);
      const passed = count('Passed');
      const skipped = count('Skipped');
      // A file that dies counts its unfinished tests as one failure at least; one that ran no test at all is a failure too.
      const failed = code === 0 && count('Total') > 0 ? 0 : Math.max(1, count('Total') - passed);
      done({ file, passed, failed, skipped, seconds: (Date.now() - began) / 1000, output });
    });
  });
}

const results: Result[] = [];
const queue = [...files];
async function work(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const result = await runFile(file);
    results.push(result);
    console.log(
      `${result.failed > 0 ? 'FAILED' : 'ok    '} ${result.file.replace(/\.test\.js$/, '')}  ${result.passed} passed, ${result.seconds.toFixed(1)} s`,
    );
    for (const line of result.output.split('\n')) if (line.startsWith('skipped: ')) console.log(`       ${line}`);
    if (result.failed > 0) console.log(result.output);
  }
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));

const total = (of: 'passed' | 'failed' | 'skipped') => results.reduce((sum, result) => sum + result[of], 0);
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exitCode = total('failed') > 0 || results.length === 0 ? 1 : 0;
