/** Files that a browser keeps for a site, in its IndexedDB: checkpoints and adapters, for pages and workers alike. */
import { diagnose } from "../../diagnostics/index.ts";

export interface FileStore {
  /**
   * Keeps a file, in place of an earlier one of that name: whole or not at all.
   * @throws E623 where the browser has no room for it; the earlier one stays.
   */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The file of a name; undefined where there is none. A copy. */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** In alphabetical order. */
  names(): Promise<readonly string[]>;
  /** A name that no file has is fine. */
  remove(name: string): Promise<void>;
  /** Other tabs may have it open, too. */
  close(): void;
}

/** The one table of a database. */
const table = "files";

/**
 * Opens a store of the site; one that is not there yet is made.
 * @throws E623 where the browser keeps nothing, such as in some private windows.
 */
export async function openFileStore(name = "inarch"): Promise<FileStore> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(table);
  const database = await ended(opening, name);
  // A page that stays open keeps no other from removing the store.
  database.onversionchange = () => database.close();
  const access = (mode: IDBTransactionMode) =>
    database.transaction(table, mode, { durability: "strict" });
  const changed = async (file: string, change: (files: IDBObjectStore) => void) => {
    const transaction = access("readwrite");
    change(transaction.objectStore(table));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(notStored(file, transaction.error));
    });
  };
  return {
    // A view of more would be kept with all that it is a view of.
    write: (file, bytes) => changed(file, (files) => files.put(bytes.slice(), file)),
    remove: (file) => changed(file, (files) => files.delete(file)),
    read: (file) => ended(access("readonly").objectStore(table).get(file), file),
    names: async () =>
      (await ended(access("readonly").objectStore(table).getAllKeys(), name)) as string[],
    close: () => database.close(),
  };
}

const ended = <T>(request: IDBRequest<T>, name: string): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(notStored(name, request.error));
  });

/** E623, with what the browser says. */
export const notStored = (name: string, cause: Error | null) =>
  diagnose("E623", {
    message: `the browser does not keep ${name} (${cause?.name ?? "no reason"}: ${cause?.message ?? ""})`,
    help:
      cause?.name === "QuotaExceededError"
        ? "remove files that are not needed any more, or ask for more room: navigator.storage.persist()"
        : "let the site keep data, in the browser's settings, or save the file instead",
    cause,
  });
