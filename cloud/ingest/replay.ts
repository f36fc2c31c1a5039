/** A dead letter through ingestion once more: gone when it became documents, left as it is when it was refused again. */
import type { DeadLetterWithPayload, ReplayResult } from '../../actors/contracts/dead-letters.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { DocumentIndex, IndexedDocument, RefusedDocument } from '../../actors/contracts/index.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { verdictDocuments } from '../original-devices.ts';
import type { CaptureReader } from './capture-reader.ts';
import { type DocumentMaker, documentsOf } from './documents.ts';
import type { Letters } from './letters.ts';

export interface ReplayPorts {
  readonly letters: Letters;
  readonly index: DocumentIndex;
  readonly makers: readonly DocumentMaker[];
  readonly reader: CaptureReader;
  /** Where a letter about a whole object finds it; absent: nowhere. */
  readonly objects: ObjectStore | undefined;
  readonly now: () => Millis;
  /** Told of others that the index will not take. */
  readonly refused: (documents: readonly RefusedDocument[]) => void;
}

type Batch = { readonly index: string; readonly documents: readonly IndexedDocument[] };

/** @returns throws NotFound, and StoreUnavailable when the index is away; the letter stays then */
export function letterReplay({
  letters,
  index,
  makers,
  reader,
  objects,
  now,
  refused,
}: ReplayPorts): (id: string) => Promise<ReplayResult> {
  /** @throws Error saying why it is refused */
  const remade = ({ source, payload }: DeadLetterWithPayload): readonly Batch[] => {
    switch (source.kind) {
      case 'message': {
        const made = documentsOf({ ...source, payload }, makers, now());
        const [no] = made.flatMap((one) => one.refused);
        if (no) throw new Error(no.reason);
        if (made.length === 0) throw new Error(`nothing is made of ${source.topic} here`);
        return made.map(({ index: name, documents }) => ({ index: name, documents: [...documents] }));
      }
      case 'object': {
        const { document, isReported } = reader.line(payload);
        return [
          { index: 'captures', documents: [document] },
          { index: 'verdicts', documents: isReported ? [] : verdictDocuments(document) },
        ];
      }
      case 'document':
        return [{ index: source.index, documents: [JSON.parse(Buffer.from(payload).toString('utf8')) as IndexedDocument] }];
    }
  };

  return async (id) => {
    const letter = await letters.show(id);
    const { source } = letter;
    if (letter.isCut) return { documents: null, reason: 'it was too long to be kept whole' };
    if (source.kind === 'object' && source.line === 0) {
      if (!objects) return { documents: null, reason: 'its object is out of reach' };
      let documents: number;
      try {
        documents = await reader.read(objects, source.key);
      } catch (error) {
        return { documents: null, reason: reasonOf(error) };
      }
      refused(await index.flush());
      await letters.remove(id);
      return { documents };
    }
    let batches: readonly Batch[];
    try {
      batches = remade(letter);
    } catch (error) {
      return { documents: null, reason: reasonOf(error) };
    }
    for (const { index: name, documents } of batches) if (documents.length > 0) await index.add(name, documents);
    const no = await index.flush();
    const isOurs = (one: RefusedDocument) =>
      batches.some((batch) => batch.index === one.index && batch.documents.some(({ id: its }) => its === one.document.id));
    refused(no.filter((one) => !isOurs(one)));
    const [again] = no.filter(isOurs);
    if (again) return { documents: null, reason: again.reason };
    await letters.remove(id);
    return { documents: batches.reduce((sum, { documents }) => sum + documents.length, 0) };
  };
}
