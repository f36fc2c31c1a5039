/** Names of things that cross folders, and what they may look like. */

/** A turbine as the fleet and AWS IoT know it, e.g. `T-001`; 1 to 128 of `[a-zA-Z0-9:_-]`. */
export type ThingName = string & { readonly brand?: 'thing' };

/** AWS IoT's rule for a thing's name; also what keeps a name harmless inside a topic or a path. */
export const isThingName = (text: string): text is ThingName => /^[a-zA-Z0-9:_-]{1,128}$/.test(text);

/** A model at a version, `windturbine-anomaly@1.1.0`. */
export type ModelId = string & { readonly brand?: 'model' };

export const modelId = (name: string, version: string): ModelId => `${name}@${version}`;

/** Splits `name@version`; null when it is not of that form. */
export function parseModelId(id: string): { readonly name: string; readonly version: string } | null {
  const match = /^([a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,63})@(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(id);
  return match ? { name: match[1], version: match[2] } : null;
}

/** A model by an alias, `windturbine-anomaly@production`; null when it is not of that form. No alias looks like a version. */
export function parseModelAlias(id: string): { readonly name: string; readonly alias: string } | null {
  const at = id.lastIndexOf('@');
  const [name, alias] = [id.slice(0, Math.max(0, at)), id.slice(at + 1)];
  return /^[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,63}$/.test(name) && isModelAlias(alias) ? { name, alias } : null;
}

/** Starts with a letter, so that it is never taken for a version. */
export const isModelAlias = (text: string): boolean => /^[a-z](?:-?[a-z0-9]){0,31}$/.test(text);
