/** Lists a page at a time. The token that a page ends with is opaque, and MAC'ed with the list that it belongs to. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { AwsFailure } from './failure.ts';

export interface Pages {
  /**
   * @param list what is listed and by which filters: a token of another list is refused
   * @param items whole and sorted by `keyOf`, ascending unless said otherwise
   */
  cut<T>(
    list: readonly unknown[],
    items: readonly T[],
    keyOf: (item: T) => string,
    asked: { readonly limit?: number | undefined; readonly token?: string | undefined; readonly descending?: boolean },
  ): { readonly items: readonly T[]; readonly token?: string };
  /** A token for a place in `list`, where whoever lists can go on by itself. */
  seal(list: readonly unknown[], place: string): string;
  /** @throws AwsFailure InvalidRequestException for a token that is not of this list */
  open(list: readonly unknown[], token: string): string;
}

const DEFAULT_LIMIT = 100;
const MAC_BYTES = 16;

export function createPages(secret: string): Pages {
  const key = createHmac('sha256', secret).update('windfleet nextToken').digest();
  const mac = (list: readonly unknown[], place: Buffer) =>
    createHmac('sha256', key)
      .update(`${JSON.stringify(list)}\n`)
      .update(place)
      .digest()
      .subarray(0, MAC_BYTES);

  const seal = (list: readonly unknown[], place: string) => {
    const bytes = Buffer.from(place);
    return Buffer.concat([mac(list, bytes), bytes]).toString('base64');
  };
  const open = (list: readonly unknown[], token: string) => {
    const bytes = Buffer.from(token, 'base64');
    const place = bytes.subarray(MAC_BYTES);
    if (bytes.length <= MAC_BYTES || bytes.toString('base64') !== token || !timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(list, place)))
      throw new AwsFailure('InvalidRequestException', 'the token is not one of this list');
    return place.toString();
  };

  return {
    seal,
    open,
    cut(list, items, keyOf, { limit = DEFAULT_LIMIT, token, descending = false }) {
      let first = 0;
      if (token !== undefined) {
        const last = open(list, token);
        const isAfter = (key: string) => (descending ? key < last : key > last);
        let end = items.length; // the first item after the last one shown, though that one may be gone meanwhile
        while (first < end) {
          const middle = (first + end) >> 1;
          if (isAfter(keyOf(items[middle]))) end = middle;
          else first = middle + 1;
        }
      }
      const shown = items.slice(first, first + limit);
      return first + limit < items.length ? { items: shown, token: seal(list, keyOf(shown[shown.length - 1])) } : { items: shown };
    },
  };
}
