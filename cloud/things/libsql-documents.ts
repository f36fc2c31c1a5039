/**
 * Documents in a libsql file of their own: write-ahead log, synced at every commit. Apart from the jobs' file, so that neither's
 * groups wait for the other's.
 */
import { chmodSync, closeSync, openSync } from 'node:fs';
import Database from 'libsql';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { DocumentDisk } from './documents.ts';

const SCHEMA =
  'CREATE TABLE IF NOT EXISTS documents (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID';

/** @throws StoreUnavailable when the file cannot be opened. */
export function libsqlDocuments(file: string): DocumentDisk {
  let db: Database.Database;
  try {
    closeSync(openSync(file, 'a', 0o600)); // libsql would let others read it
    chmodSync(file, 0o600);
    db = new Database(file);
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    db.exec(SCHEMA);
  } catch (error) {
    throw new StoreUnavailable(`the store of things ${file} cannot be opened`, {
      cause: error,
      hint: 'is another cloud using this data folder? choose another with --data',
    });
  }
  const put = db.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?)');
  const remove = db.prepare('DELETE FROM documents WHERE kind = ? AND key = ?');

  return {
    load: () => db.prepare('SELECT kind, key, body FROM documents').all() as { kind: string; key: string; body: string }[],
    save(changes) {
      try {
        db.exec('BEGIN');
        for (const { kind, key, body } of changes) body === null ? remove.run(kind, key) : put.run(kind, key, body);
        db.exec('COMMIT');
      } catch (error) {
        if (db.inTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => db.close(),
  };
}
