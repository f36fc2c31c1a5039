/** The console's API from the command line. */
import { NotFound, QueryInvalid, RemoteRefused, reasonOf, VerificationRefused } from '../../actors/contracts/errors.ts';

export interface Api {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: object): Promise<T>;
  remove<T>(path: string): Promise<T>;
}

/** @param base `http://127.0.0.1:7070` */
export function openApi(base: string): Api {
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(new URL(path, base), {
      method,
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    }).catch((error: unknown) => {
      throw new RemoteRefused(`no farm answers at ${base} (${reasonOf((error as Error).cause ?? error)})`, {
        cause: error,
        hint: 'start one with `windfleet up`, or name its address with --cloud',
      });
    });
    const text = await response.text();
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch (error) {
      throw new RemoteRefused(`${base}${path} answers with what is no JSON (status ${response.status})`, {
        cause: error,
        hint: 'is that the address of a console?',
      });
    }
    if (response.ok) return answer as T;
    const {
      message = `status ${response.status}`,
      hint,
      code,
    } = (answer as { error?: { message?: string; hint?: string; code?: string } }).error ?? {};
    const options = hint === undefined ? {} : { hint };
    if (response.status === 404 || code === 'fault.refused') throw new NotFound(message, options);
    if (response.status === 400) throw new QueryInvalid(message, options);
    if (code === 'verification.refused' || code === 'model.rejected') throw new VerificationRefused(message, options);
    throw new RemoteRefused(message, options);
  };
  return { get: (path) => ask('GET', path), post: (path, body) => ask('POST', path, body), remove: (path) => ask('DELETE', path, {}) };
}
