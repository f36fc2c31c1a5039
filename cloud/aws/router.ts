/** Which operation of a plane a method and a path name. A segment is unescaped once, so `%24next` is `$next` and `a%2Fb` holds a slash. */
import { AwsFailure } from './failure.ts';
import type { Operation } from './operation.ts';

export interface Route {
  readonly operation: Operation;
  readonly path: Readonly<Record<string, string>>;
}

export interface Router {
  /** @param path as it came, escaped. A failure is a value: there may be another plane to ask. */
  route(method: string, path: string): Route | AwsFailure;
}

interface Compiled {
  readonly operation: Operation;
  readonly segments: readonly { readonly literal: string | null; readonly name: string; readonly takesRest: boolean }[];
}

export function createRouter(operations: readonly Operation[]): Router {
  const table = operations.map(compile).sort((a, b) => literals(b) - literals(a)); // `$next` before `{jobId}`
  const longest = Math.max(0, ...table.map(({ segments }) => segments.length));
  // by the number of segments; a path that takes the rest may have any from its own on
  const ofLength = Array.from({ length: longest + 2 }, (_, length) =>
    table.filter(({ segments }) => (segments.at(-1)?.takesRest ? length >= segments.length : length === segments.length)),
  );

  return {
    route(method, path) {
      let segments: readonly string[];
      try {
        segments = path.split('/').slice(1).map(unescapeOnce);
      } catch (error) {
        if (error instanceof AwsFailure) return error;
        throw error;
      }
      let otherMethod = false;
      for (const compiled of ofLength[Math.min(segments.length, longest + 1)]) {
        const found = match(compiled, segments);
        if (!found) continue;
        if (compiled.operation.method === method) return { operation: compiled.operation, path: found };
        otherMethod = true;
      }
      return otherMethod
        ? new AwsFailure('MethodNotAllowedException', `${method} is nothing that this resource does`)
        : new AwsFailure('UnknownOperationException', 'no operation has this path');
    },
  };
}

function compile(operation: Operation): Compiled {
  return {
    operation,
    segments: operation.path
      .split('/')
      .slice(1)
      .map((text) => {
        const parameter = /^\{(\w+)(\+?)\}$/.exec(text);
        return parameter
          ? { literal: null, name: parameter[1], takesRest: parameter[2] === '+' }
          : { literal: text, name: '', takesRest: false };
      }),
  };
}

const literals = ({ segments }: Compiled) => segments.filter(({ literal }) => literal !== null).length;

/** @param segments as many as the operation has, or more when it takes the rest */
function match({ segments: wanted }: Compiled, segments: readonly string[]): Record<string, string> | null {
  for (let i = 0; i < wanted.length; i++) if (wanted[i].literal !== null && wanted[i].literal !== segments[i]) return null;
  const path: Record<string, string> = {};
  for (let i = 0; i < wanted.length; i++) {
    const { literal, name, takesRest } = wanted[i];
    if (literal === null) path[name] = takesRest ? segments.slice(i).join('/') : segments[i];
  }
  return path;
}

/** @throws AwsFailure InvalidRequestException for what is no UTF-8 */
function unescapeOnce(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsFailure('InvalidRequestException', 'the path is not escaped UTF-8');
  }
}

/** The first of what came twice would hide the second: refused. @throws AwsFailure InvalidRequestException */
export function parseQuery(query: string): Readonly<Record<string, string>> {
  const parsed: Record<string, string> = Object.create(null);
  for (const pair of query === '' ? [] : query.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const [name, value] = (at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]).map((text) =>
      unescapeOnce(text.replaceAll('+', ' ')),
    );
    if (name in parsed) throw new AwsFailure('InvalidRequestException', `${name} is given twice`);
    parsed[name] = value;
  }
  return parsed;
}
