/** Rule SQL as tokens. */
import { FileInvalid } from '../../actors/contracts/errors.ts';

export interface Token {
  readonly kind: 'word' | 'text' | 'number' | 'sign' | 'end';
  /** Of a text: what it says, its quotes undone. */
  readonly text: string;
  /** In the SQL, from 0. */
  readonly at: number;
}

/** AWS takes 256 kB; no rule that a person wrote has so many words. */
const TOKENS_MAX = 4_096;
const CHARACTERS_MAX = 262_144;

export const HINT = "as SELECT 'logs' as msg_type, topic(3) as device_name, * FROM 'wind-turbine/logs/#' WHERE …";

/** @throws FileInvalid naming the position of what is no token. */
export function tokensOf(sql: string): Token[] {
  if (sql.length > CHARACTERS_MAX) throw ruleFault(sql, CHARACTERS_MAX, `a rule has ${CHARACTERS_MAX} characters at most`);
  const tokens: Token[] = [];
  const pattern =
    /\s+|'((?:[^']|'')*)'|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![A-Za-z_])|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|<>|!=|[*,()[\].=<>+\-/%])/y;
  while (pattern.lastIndex < sql.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(sql);
    if (!match) throw ruleFault(sql, at, sql[at] === "'" ? 'this quote is never closed' : `${shown(sql, at)} is not part of this subset`);
    const [, text, number, word, sign] = match;
    if (text !== undefined) tokens.push({ kind: 'text', text: text.replaceAll("''", "'"), at });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, at });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, at });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at });
    if (tokens.length > TOKENS_MAX) throw ruleFault(sql, at, `a rule has ${TOKENS_MAX} words at most`);
  }
  tokens.push({ kind: 'end', text: '', at: sql.length });
  return tokens;
}

/** `rule SQL, line 1, column 8 (position 8): …` */
export function ruleFault(sql: string, at: number, why: string): FileInvalid {
  const before = sql.slice(0, at).split('\n');
  return new FileInvalid(`rule SQL, line ${before.length}, column ${before[before.length - 1].length + 1} (position ${at + 1}): ${why}`, {
    hint: HINT,
  });
}

const shown = (sql: string, at: number) => JSON.stringify(String.fromCodePoint(sql.codePointAt(at) ?? 0));
