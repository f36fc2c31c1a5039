/** Text lines out of a stream of bytes, wherever the bytes come from. */

const MAX_LINE = 512; // a whole line of the desk turbine has some 140 characters

/** Text cut at newlines; what grows too long without one is thrown away up to the next. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + Buffer.from(chunk).toString('latin1')).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE) rest = rest.slice(-MAX_LINE); // no line any more, whatever follows
    yield* parts;
  }
}
