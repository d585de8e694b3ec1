/**
 * A lock on a folder that one process at a time may write. The system releases it when the process ends, however it
 * ends.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";

/** A folder that is locked; disposing of it releases the lock. */
export interface FolderLock {
  /** Releases the lock. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Locks a folder, which need not exist: the lock is a file beside it.
 *
 * @param folder The folder
 * @param purpose For the refusal: the verb and the noun of what is done in it, `"train"` and `"training"`
 * @returns The lock
 * @throws {Deno.errors.Busy} If another process holds the lock, naming the process and its start
 */
export async function lockFolder(
  folder: string,
  { verb, work }: { verb: string; work: string },
): Promise<FolderLock> {
  const path = resolve(folder);
  const place = join(dirname(path), `.${basename(path)}.lock`);
  await Deno.mkdir(dirname(path), { recursive: true });
  for (;;) {
    const file = await Deno.open(place, { read: true, write: true, create: true });
    try {
      if (!await tryLock(file)) {
        const { process, since } = await readHolder(place);
        throw new Deno.errors.Busy(
          `Cannot ${verb} in "${folder}": another ${work} (process ${process}) is under way there, since ${since}`,
        );
      }
      // The previous holder may have removed the file meanwhile: then this is a lock on nothing.
      if (!await isSame(file, place)) {
        file.close();
        continue;
      }
      await file.truncate(0);
      const holder = { process: Deno.pid, since: new Date().toISOString() };
      await file.write(new TextEncoder().encode(JSON.stringify(holder)));
    } catch (error) {
      file.close();
      throw error;
    }
    return {
      async [Symbol.asyncDispose]() {
        await Deno.remove(place).catch(() => {});
        file.close();
      },
    };
  }
}

/** Locks a file. Where the file system has no locks, as on some networks, work continues without one. */
async function tryLock(file: Deno.FsFile): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch (error) {
    // ENOLCK, ENOSYS, EOPNOTSUPP of Linux and of macOS.
    if (/\(os error (?:37|38|95|77|78|45)\)/.test((error as Error).message)) return true;
    throw error;
  }
}

async function readHolder(place: string): Promise<{ process: string; since: string }> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      const { process, since } = JSON.parse(await Deno.readTextFile(place));
      return { process: String(process), since: String(since) };
    } catch {
      // A process that has only just locked it has not written yet.
      await new Promise((done) => setTimeout(done, 10));
    }
  }
  return { process: "of unknown number", since: "a moment ago" };
}

async function isSame(file: Deno.FsFile, place: string): Promise<boolean> {
  const { ino } = await file.stat();
  const there = await Deno.stat(place).catch(() => undefined);
  return there !== undefined && there.ino === ino;
}
