/**
 * How documents lie in a search server: the time as a date, numbers as doubles, texts as keywords (never analysed). The fields that
 * each known index has are named; whatever comes beside them is mapped by the same three rules.
 */
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import { deskTurbine } from '../../actors/contracts/channels.ts';

export type FieldType = 'date' | 'double' | 'keyword' | 'boolean';

export type Properties = Readonly<Record<string, { readonly type: FieldType; readonly format?: string; readonly ignore_above?: number }>>;

const KEYWORD = { type: 'keyword', ignore_above: 8_000 } as const; // Lucene takes no term of more than 32 766 bytes; 4 a character at most
const DOUBLE = { type: 'double' } as const;
const BOOLEAN = { type: 'boolean' } as const;

const COMMON: Properties = { id: KEYWORD, at: { type: 'date', format: 'epoch_millis' }, thing: KEYWORD };

const FIELDS: Readonly<Record<string, Properties>> = {
  logs: { deviceId: KEYWORD, turbineId: KEYWORD, ...Object.fromEntries(deskTurbine.channels.map(({ name }) => [name, DOUBLE])) },
  verdicts: { feature: KEYWORD, score: DOUBLE, anomalous: BOOLEAN, announced: BOOLEAN, model: KEYWORD },
  states: { state: KEYWORD, cause: KEYWORD, model: KEYWORD, update: KEYWORD },
  alarms: { feature: KEYWORD, model: KEYWORD, score: DOUBLE, clearedAt: DOUBLE },
  captures: { deviceId: KEYWORD, turbineId: KEYWORD },
};

export const propertiesOf = (index: string): Properties => ({ ...COMMON, ...FIELDS[index] });

/** What an index is made with. */
export const mappingsOf = (index: string) => ({
  dynamic: true,
  date_detection: false, // a text that looks like a date is a text
  numeric_detection: false,
  dynamic_templates: [
    { texts: { match_mapping_type: 'string', mapping: KEYWORD } },
    { whole: { match_mapping_type: 'long', mapping: DOUBLE } }, // 7 today is 7.5 tomorrow
    { numbers: { match_mapping_type: 'double', mapping: DOUBLE } },
    { flags: { match_mapping_type: 'boolean', mapping: BOOLEAN } },
  ],
  properties: propertiesOf(index),
});

/**
 * The fields that an index which is there already lacks.
 * @param found its mapping, as the server tells it
 * @throws ConfigInvalid naming every field that it has with another type
 */
export function lackingOf(index: string, found: Readonly<Record<string, { readonly type?: string }>>, about: string): Properties {
  const wanted = Object.entries(propertiesOf(index));
  const wrong = wanted.filter(([field, { type }]) => field in found && found[field].type !== type);
  if (wrong.length > 0)
    throw new ConfigInvalid(
      `${about} maps ${wrong.map(([field, { type }]) => `${field} of ${index} to ${found[field].type ?? 'an object'}, not ${type}`).join('; ')}`,
      { hint: 'a mapping never changes: reindex it into one of another name, or choose another `prefix`' },
    );
  return Object.fromEntries(wanted.filter(([field]) => !(field in found)));
}
