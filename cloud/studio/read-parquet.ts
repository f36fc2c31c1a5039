/** A Parquet file of ours → samples. Rows are named as DuckDB counts them, from 1. */
import type { Machine } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { createFileFaults } from '../../actors/contracts/file-faults.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import { recordingColumns } from '../../actors/contracts/recording.ts';
import { openParquet } from './parquet.ts';
import { createRows, type SampleSource } from './samples.ts';

const NUMERIC = /^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|FLOAT|DOUBLE|DECIMAL.*)$/;
const TIMES = /^TIMESTAMP/;
const HINT = 'a Parquet recording has the columns of the CSV, as `windfleet data record --out F.parquet` writes it';

/** @param machineOf chooses by the columns. @throws FileInvalid naming every column that is wrong */
export async function parquetSource(file: string, machineOf: (columns: readonly string[]) => Machine): Promise<SampleSource> {
  const opened = await openParquet(file);
  const types = opened.columns;
  opened.close();
  const { name, channels } = machineOf([...types.keys()]);
  const faults = createFileFaults();
  for (const column of recordingColumns(channels)) {
    const type = types.get(column);
    const wanted = column === 'eventTime' ? TIMES : channels.some((channel) => channel.name === column) ? NUMERIC : /./;
    if (type === undefined) faults.add(`${file} has no column ${column}`);
    else if (!wanted.test(type))
      faults.add(`${file} column ${column} is ${type}, which is no ${column === 'eventTime' ? 'time' : 'number'}`);
  }
  for (const column of types.keys())
    if (!recordingColumns(channels).includes(column)) faults.add(`${file} has a column ${column} that no ${name} has`);
  faults.refuse(HINT);

  const rows = createRows();
  return {
    machine: name,
    channels,
    things: rows.things,
    notes: () => [],
    async read(hear) {
      const parquet = await openParquet(file);
      const found = createFileFaults();
      const sample = new Float64Array(channels.length);
      let line = 0;
      rows.rewind();
      try {
        for await (const chunk of parquet.chunks(channels.map((channel) => channel.name))) {
          for (let i = 0; i < chunk.rows; i++) {
            line++;
            const thing = chunk.things[i];
            const at = chunk.at[i];
            if (thing === null || !isThingName(thing)) {
              found.add(`${file} row ${line}: turbineId ${JSON.stringify(thing)} is no name of a turbine`);
              continue;
            }
            const row = rows.of(thing);
            if (row < 0)
              throw new FileInvalid(`${file} row ${line}: ${thing} is one turbine too many: a file may hold ${rows.things.length}`);
            if (Number.isNaN(at)) found.add(`${file} row ${line} has no eventTime`);
            else if (at < rows.lastAt[row]) found.add(`${file} row ${line} goes back in time for ${thing}`);
            else rows.lastAt[row] = at;
            for (let c = 0; c < sample.length; c++) {
              sample[c] = chunk.values[c][i];
              if (sample[c] === Infinity || sample[c] === -Infinity) found.add(`${file} row ${line}: ${channels[c].name} is infinite`);
            }
            hear(row, at, sample, 0);
          }
        }
      } finally {
        parquet.close();
      }
      found.refuse(HINT);
      if (line === 0) throw new FileInvalid(`${file} holds no sample`, { hint: 'record one with `windfleet data record`' });
    },
  };
}
