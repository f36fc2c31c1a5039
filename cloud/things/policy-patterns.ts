/**
 * Patterns of AWS IoT policies (`*` any text, `?` one character) against names, topics and topic filters. In a pattern MQTT's `+`
 * and `#` are plain characters that stand for themselves, as AWS has it.
 *
 * A filter is *contained* in a pattern when every topic that it can bring is one that the pattern stands for. A pattern that
 * names the filter's wildcards stands for all that they bring; `?` never covers one: `a/?` does not hold `a/+`, which brings
 * `a/bcd` too. (The topic `a` itself, which MQTT lets `a/#` bring, is left to iot:Receive.)
 */

/** Whether the pattern stands for exactly this text. Linear in either length for every pattern without many `*`. */
export const matchesText = (pattern: string, text: string): boolean => glob(pattern, text, () => true);

/** Whether every topic of the filter is within the pattern. */
export const containsFilter = (pattern: string, filter: string): boolean => glob(pattern, filter, (one) => one !== '+' && one !== '#');

/** @param single whether `?` may stand for this character */
function glob(pattern: string, text: string, single: (character: string) => boolean): boolean {
  let p = 0;
  let star = -1; // the last `*`, and how far it reaches now
  let reach = 0;
  for (let t = 0; t < text.length; ) {
    if (pattern[p] === '*') {
      star = p++;
      reach = t;
    } else if (p < pattern.length && (pattern[p] === '?' ? single(text[t]) : pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++reach;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/**
 * Whether some topic of the filter is within the pattern: what denies. AWS compares the filter as plain text; here a filter that
 * merely reaches into what is denied is denied too, since `#` would otherwise bring what `secret/*` forbids.
 */
export function meetsFilter(pattern: string, filter: string): boolean {
  return matchesText(pattern, filter) || piecesOfFilter(filter).some((pieces) => shareText(piecesOfPattern(pattern), pieces));
}

/** Whether one text is read by both. States (i, j): so far, by the first i pieces of one and the first j of the other. */
function shareText(wide: readonly Piece[], narrow: readonly Piece[]): boolean {
  const width = narrow.length + 1;
  const seen = new Uint8Array((wide.length + 1) * width);
  const open = [0];
  seen[0] = 1;
  const reach = (i: number, j: number) => {
    const state = i * width + j;
    if (seen[state] === 1) return;
    seen[state] = 1;
    open.push(state);
  };
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const i = Math.floor(state / width);
    const j = state % width;
    if (i === wide.length && j === narrow.length) return true;
    const [a, b] = [wide[i], narrow[j]];
    if (a?.repeats) reach(i + 1, j); // it stands for nothing more
    if (b?.repeats) reach(i, j + 1);
    if (a && b && shareCharacter(a, b)) reach(a.repeats ? i : i + 1, b.repeats ? j : j + 1);
  }
  return false;
}

/** One character, or any number of them. */
interface Piece {
  readonly repeats: boolean;
  readonly may: (character: string) => boolean;
  /** Characters that it tells from others. */
  readonly tells: string;
}

const piece = (repeats: boolean, may: Piece['may'], tells = ''): Piece => ({ repeats, may, tells });
const ANY = piece(false, () => true);
const ALL = piece(true, () => true);
const LEVEL = piece(true, (one) => one !== '/', '/');
const plain = (character: string) => piece(false, (one) => one === character, character);

/** Whether some character is of both: one that either tells apart, or any other. */
const shareCharacter = (a: Piece, b: Piece) => [...a.tells, ...b.tells, '\0'].some((one) => a.may(one) && b.may(one));

/** Wildcards of MQTT that a pattern names stand for what they bring. */
const piecesOfPattern = (pattern: string): readonly Piece[] =>
  [...pattern].map((one) => (one === '*' || one === '#' ? ALL : one === '?' ? ANY : one === '+' ? LEVEL : plain(one)));

/** One way of reading the filter, or two where it begins with a wildcard: [MQTT-4.7.2-1], that brings no topic that begins with `$`. */
function piecesOfFilter(filter: string): readonly (readonly Piece[])[] {
  const pieces = [...filter].map((one) => (one === '#' ? ALL : one === '+' ? LEVEL : plain(one)));
  const first = (/^arn:[^/]*\//.exec(filter)?.[0] ?? '').length;
  const wildcard = filter[first];
  if (wildcard !== '+' && wildcard !== '#') return [pieces];
  const [before, after] = [pieces.slice(0, first), pieces.slice(first + 1)];
  const begins = piece(false, (one) => one !== '$' && (wildcard === '#' || one !== '/'), '$/');
  return [[...before, begins, pieces[first], ...after], ...(wildcard === '+' ? [[...before, ...after]] : [])]; // no topic is empty [MQTT-4.7.3-1]
}
