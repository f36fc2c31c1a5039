/** How the stub of a search server maps documents: explicit properties, dynamic templates, coercion, and what it refuses. */

export interface Property {
  readonly type?: string;
  readonly format?: string;
  readonly ignore_above?: number;
}

export type Properties = Readonly<Record<string, Property>>;

export interface Mapping {
  readonly dynamic_templates: readonly Readonly<Record<string, { readonly match_mapping_type: string; readonly mapping: Property }>>[];
  properties: Properties;
}

export interface ParseFailure {
  readonly failure: {
    readonly type: string;
    readonly reason: string;
    readonly caused_by?: { readonly type: string; readonly reason: string };
  };
}

/** Values as they are indexed, by field; a field that is not indexed is not there. */
export type Fields = Readonly<Record<string, string | number | boolean>>;

const FIELD_LIMIT = 1_000; // index.mapping.total_fields.limit
const TERM_BYTES = 32_766; // Lucene
const NUMBERS: readonly string[] = ['double', 'float', 'long', 'integer'];

/** New fields are mapped as the document comes, as `dynamic: true` has it. A document is taken whole or not at all. */
export function parseDocument(
  id: string,
  source: Readonly<Record<string, unknown>>,
  mapping: Mapping,
  isElastic: boolean,
): { readonly fields: Fields } | ParseFailure {
  const fields: Record<string, string | number | boolean> = {};
  const added: Record<string, Property> = {};
  const type = isElastic ? 'document_parsing_exception' : 'mapper_parsing_exception';
  for (const [field, value] of Object.entries(source)) {
    if (value === null) continue;
    const property = mapping.properties[field] ?? dynamicProperty(value, mapping);
    if (!(field in mapping.properties)) added[field] = property;
    const indexed = indexedValue(value, property);
    if (indexed instanceof Error)
      return {
        failure: {
          type,
          reason: `failed to parse field [${field}] of type [${property.type}] in document with id '${id}'. Preview of field's value: '${String(value).slice(0, 20)}'`,
          caused_by: { type: 'illegal_argument_exception', reason: indexed.message },
        },
      };
    if (indexed !== null) fields[field] = indexed;
  }
  if (Object.keys(mapping.properties).length + Object.keys(added).length > FIELD_LIMIT)
    return {
      failure: {
        type: isElastic ? 'document_parsing_exception' : 'illegal_argument_exception',
        reason: `Limit of total fields [${FIELD_LIMIT}] has been exceeded`,
      },
    };
  mapping.properties = { ...mapping.properties, ...added };
  return { fields };
}

/** @returns what conflicts, in the server's words; null when it was merged */
export function mergeProperties(mapping: Mapping, more: Properties): string | null {
  for (const [field, { type }] of Object.entries(more)) {
    const before = mapping.properties[field]?.type;
    if (before !== undefined && before !== type) return `mapper [${field}] cannot be changed from type [${before}] to [${type}]`;
  }
  mapping.properties = { ...mapping.properties, ...more };
  return null;
}

function dynamicProperty(value: unknown, { dynamic_templates: templates }: Mapping): Property {
  const found =
    typeof value === 'string'
      ? 'string'
      : typeof value === 'boolean'
        ? 'boolean'
        : Number.isInteger(value)
          ? 'long'
          : typeof value === 'number'
            ? 'double'
            : 'object';
  const template = templates.flatMap((one) => Object.values(one)).find(({ match_mapping_type: type }) => type === found);
  if (template) return template.mapping;
  return found === 'string' ? { type: 'text' } : { type: found === 'double' ? 'float' : found };
}

/** As Lucene gets it; null for what is not indexed. */
function indexedValue(
  value: unknown,
  { type, ignore_above: longest = Number.POSITIVE_INFINITY }: Property,
): string | number | boolean | null | Error {
  if (typeof value === 'object') return new Error(`Can't get text on a START_OBJECT at 1:2`);
  if (type === 'keyword' || type === 'text') {
    const text = String(value);
    if (text.length > longest) return null;
    if (type === 'keyword' && Buffer.byteLength(text) > TERM_BYTES)
      return new Error(
        `Document contains at least one immense term in field whose UTF8 encoding is longer than the max length ${TERM_BYTES}`,
      );
    return text;
  }
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    return new Error(`Failed to parse value [${String(value)}] as only [true] or [false] are allowed.`);
  }
  if (type === 'date') {
    const at = typeof value === 'number' ? value : /^-?\d+$/.test(String(value)) ? Number(value) : Number.NaN; // epoch_millis
    return Number.isFinite(at) ? Math.floor(at) : new Error(`failed to parse date field [${String(value)}] with format [epoch_millis]`);
  }
  if (NUMBERS.includes(type ?? '')) {
    if (typeof value === 'boolean') return new Error('Current token (VALUE_TRUE) not numeric, can not use numeric value accessors');
    const number = typeof value === 'number' ? value : String(value).trim() === '' ? Number.NaN : Number(value); // coerce: true
    return Number.isFinite(number) ? number : new Error(`For input string: "${String(value)}"`);
  }
  return new Error(`No handler for type [${type}]`);
}
