/** Aggregations as DuckDB's SQL. Names come from the table's own columns, values are bound. */
import { QueryInvalid } from '../../actors/contracts/errors.ts';
import type { Aggregation } from '../../actors/contracts/index.ts';
import { type ColumnType, typeOf } from './duckdb-rows.ts';

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** @throws QueryInvalid */
export function aggregationSql(
  query: Aggregation,
  columns: ReadonlyMap<string, ColumnType>,
): { sql: string; values: (string | number | boolean)[] } {
  const known = (field: string, wanted?: ColumnType) => {
    const type = columns.get(field);
    if (!type)
      throw new QueryInvalid(`no field ${field} in index ${query.index}`, { hint: `fields: ${[...columns.keys()].sort().join(', ')}` });
    if (wanted && type !== wanted) throw new QueryInvalid(`field ${field} of index ${query.index} holds no numbers`);
    return quoted(field);
  };
  if (query.agg !== 'count' && query.field === undefined) throw new QueryInvalid(`${query.agg} wants a field`);
  const values: (string | number | boolean)[] = [];
  const bind = (value: string | number | boolean) => `$${values.push(value)}`;
  const conditions = [
    ...(query.from === undefined ? [] : [`"at" >= ${bind(query.from)}`]),
    ...(query.to === undefined ? [] : [`"at" < ${bind(query.to)}`]),
    ...Object.entries(query.where ?? {}).map(([field, value]) => `${known(field, typeOf(value))} = ${bind(value)}`),
    ...(query.field === undefined ? [] : [`${known(query.field, 'DOUBLE')} IS NOT NULL`]),
  ];
  const groups = [
    ...(query.every === undefined ? [] : [{ name: 'bucket', sql: `floor("at" / ${bind(query.every)}) * ${bind(query.every)}` }]),
    ...query.by.map((field, i) => ({ name: `by${i}`, sql: known(field) })),
  ];
  const agg = query.agg === 'count' ? 'count(*)' : `${query.agg === 'mean' ? 'avg' : query.agg}(${known(query.field!)})`;
  const select = [...groups.map(({ name, sql }) => `${sql} AS ${name}`), `${agg} AS value`].join(', ');
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const group =
    groups.length > 0
      ? `GROUP BY ${groups.map(({ name }) => name).join(', ')} ORDER BY ${groups.map(({ name }) => name).join(', ')}`
      : 'HAVING count(*) > 0';
  return { sql: `SELECT ${select} FROM ${quoted(query.index)} ${where} ${group}`, values };
}
