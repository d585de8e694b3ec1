/**
 * Notices that another rank has ended. MPI itself waits forever for a rank that was killed, and not every launcher ends
 * the others soon, so each rank has a connection to rank 0, which the system closes when either process ends.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import type { Communicator } from "./communicator.ts";

/** Milliseconds for a connection to rank 0: a firewall may let it wait. */
const PATIENCE = 5000;

/** What a rank says before it closes its connection because all is done. */
const DONE = "done";
/** What comes before the reason of a rank that fails. */
const FAILED = "failed ";

/** Digits of the word that ranks know and others do not. */
const WORD = 32;
/** Digits of a rank. */
const RANK = 8;

/**
 * The reason of a training that cannot continue because another rank has failed or was killed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { RankFailure } from "tunebook/train";
 *
 * const { message } = new RankFailure('rank 1, on "node2", has ended', false);
 * assertEquals(message, 'Cannot continue with the other ranks: rank 1, on "node2", has ended');
 * ```
 */
export class RankFailure extends Error {
  /** Its name. */
  override name = "RankFailure";

  /**
   * Says what happened.
   *
   * @param reason What happened to the other rank.
   * @param told Whether a rank has told it already, on its own standard error.
   */
  constructor(reason: string, readonly told: boolean) {
    super(`Cannot continue with the other ranks: ${reason}`);
  }
}

/** The connections between rank 0 and the others. */
export class RankWatch implements Disposable {
  /** Ranks that cannot connect to rank 0. */
  readonly unwatched: readonly number[];
  /** Fulfilled with the reason if another rank ends before its work is done. */
  readonly failed: Promise<RankFailure>;
  readonly #connections: ReadonlyMap<number, Deno.TcpConn>;
  readonly #ranks: Pick<Communicator, "rank" | "hosts">;
  readonly #fail: (reason: RankFailure) => void;
  #over = false;

  private constructor(
    ranks: Pick<Communicator, "rank" | "hosts">,
    connections: ReadonlyMap<number, Deno.TcpConn>,
    unwatched: readonly number[],
  ) {
    this.#ranks = ranks;
    this.#connections = connections;
    this.unwatched = unwatched;
    const { promise, resolve } = Promise.withResolvers<RankFailure>();
    this.failed = promise;
    this.#fail = resolve;
    for (const [rank, connection] of connections) this.#watch(rank, connection);
  }

  /**
   * Connects all ranks with rank 0.
   *
   * @param communicator The ranks; all call this.
   * @returns This rank's connections.
   */
  static async open(communicator: Communicator): Promise<RankWatch> {
    const { rank, size, hosts } = communicator;
    const isOneNode = new Set(hosts).size === 1;
    const listener = rank === 0
      ? Deno.listen({ hostname: isOneNode ? "127.0.0.1" : "0.0.0.0", port: 0 })
      : undefined;
    const invitation = { port: listener?.addr.port, word: crypto.randomUUID().replaceAll("-", "") };
    const text = await communicator.broadcastText(JSON.stringify(invitation));
    const { port, word } = JSON.parse(text) as { port: number; word: string };
    const connections = new Map<number, Deno.TcpConn>();
    if (listener) {
      const accepting = accept(listener, word, size - 1, connections);
      await deadline(accepting, PATIENCE).catch(() => {});
      listener.close();
    } else {
      const hostname = isOneNode ? "127.0.0.1" : hosts[0];
      const connection = await connect(hostname, port, word + String(rank).padStart(RANK, "0"));
      if (connection) connections.set(0, connection);
    }
    const [known] = await communicator.gather(hosts.map((_, at) => Number(connections.has(at))));
    const unwatched = hosts.flatMap((_, at) => at > 0 && known[at] === 0 ? [at] : []);
    if (unwatched.includes(rank)) {
      connections.get(0)?.close();
      connections.clear();
    }
    return new RankWatch(communicator, connections, unwatched);
  }

  /** Says that this rank is done: others must not miss it. */
  async end(): Promise<void> {
    await this.#say(DONE);
    this[Symbol.dispose]();
  }

  /**
   * Says that this rank fails.
   *
   * @param reason Why.
   */
  async fail(reason: string): Promise<void> {
    await this.#say(FAILED + reason);
  }

  /** Watches no longer. */
  [Symbol.dispose](): void {
    this.#over = true;
    for (const connection of this.#connections.values()) {
      try {
        connection.close();
      } catch {
        // It is closed already.
      }
    }
  }

  async #say(text: string): Promise<void> {
    this.#over = true;
    const bytes = new TextEncoder().encode(text);
    for (const connection of this.#connections.values()) {
      await connection.write(bytes).catch(() => {});
    }
  }

  async #watch(rank: number, connection: Deno.TcpConn): Promise<void> {
    connection.unref();
    const said = await new Response(connection.readable).text().catch(() => "");
    if (this.#over || said === DONE) return;
    const told = said.startsWith(FAILED);
    const reason = told
      ? said.slice(FAILED.length)
      : `rank ${rank}, on "${
        this.#ranks.hosts[rank]
      }", has ended; it was killed, for example because the node has ` +
        "no memory left, or crashed";
    // Rank 0 passes it on: the others are connected with it alone.
    if (this.#ranks.rank === 0) await this.fail(reason);
    this.#fail(new RankFailure(reason, told));
  }
}

/** Connects to rank 0; undefined if it cannot be reached. */
async function connect(
  hostname: string,
  port: number,
  message: string,
): Promise<Deno.TcpConn | undefined> {
  try {
    const connection = await deadline(Deno.connect({ hostname, port }), PATIENCE);
    await connection.write(new TextEncoder().encode(message));
    return connection;
  } catch {
    return undefined;
  }
}

/** Accepts the connections of ranks, until all have come. */
async function accept(
  listener: Deno.TcpListener,
  word: string,
  count: number,
  connections: Map<number, Deno.TcpConn>,
): Promise<void> {
  while (connections.size < count) {
    const connection = await listener.accept();
    const bytes = new Uint8Array(WORD + RANK);
    let length = 0;
    while (length < bytes.length) {
      const read = await connection.read(bytes.subarray(length)).catch(() => null);
      if (read === null) break;
      length += read;
    }
    const text = new TextDecoder().decode(bytes);
    if (length < bytes.length || !text.startsWith(word)) connection.close();
    else connections.set(Number(text.slice(WORD)), connection);
  }
}
