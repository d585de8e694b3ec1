// The listening side of ZMTP: sockets to which any number of peers connect.

import { ZmtpConnection, type ZmtpSocketType } from "../zmtp.ts";

/** Where a socket listens. */
export type SocketAddress =
  | { transport: "tcp"; hostname: string; port: number }
  | { transport: "unix"; path: string };

/**
 * A listening ZMTP socket: ROUTER, REP or PUB, depending on what its handler does with messages.
 */
export class ListeningSocket {
  /** The connected peers. */
  readonly peers: Set<Peer> = new Set();
  /** Connected peers that have not finished the handshake or have not subscribed yet. */
  #arriving = new Set<Promise<unknown>>();
  #listener: Deno.Listener;
  #type: ZmtpSocketType;
  #take: (frames: Uint8Array[], peer: Peer) => void;

  /**
   * Starts listening.
   *
   * @param address Where.
   * @param type The socket type announced to peers.
   * @param take Receives each message with its sender. The socket handles subscriptions itself.
   */
  constructor(
    address: SocketAddress,
    type: "ROUTER" | "REP" | "PUB",
    take: (frames: Uint8Array[], peer: Peer) => void = () => {},
  ) {
    this.#listener =
      (address.transport === "tcp"
        ? Deno.listen({ hostname: address.hostname, port: address.port })
        : Deno.listen({ transport: "unix", path: address.path })) as Deno.Listener;
    this.#type = type;
    this.#take = take;
    this.#accept();
  }

  /** The port of a TCP socket. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async #accept() {
    try {
      for await (const conn of this.#listener) this.#welcome(conn);
    } catch {
      // Closed.
    }
  }

  async #welcome(conn: Deno.Conn) {
    const ready = Promise.withResolvers<void>();
    this.#arriving.add(ready.promise);
    const arrived = () => {
      this.#arriving.delete(ready.promise);
      ready.resolve();
    };
    let peer: Peer | undefined;
    try {
      if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
      peer = new Peer(await ZmtpConnection.open(conn, this.#type));
      this.peers.add(peer);
      if (this.#type !== "PUB") arrived();
      for await (const frames of peer.connection) {
        if (this.#type !== "PUB") this.#take(frames, peer);
        else if (peer.subscribe(frames)) arrived();
      }
    } catch {
      // The peer speaks another protocol, or has disconnected.
    } finally {
      arrived();
      if (peer !== undefined) this.peers.delete(peer);
      peer?.connection.close();
    }
  }

  /** Waits until connected peers are ready to receive. */
  async settled(): Promise<void> {
    await Promise.all(this.#arriving);
  }

  /** Sends a message to every peer that is subscribed to its first frame. */
  publish(frames: Uint8Array[]): void {
    for (const peer of this.peers) if (peer.wants(frames[0])) peer.send(frames);
  }

  /** Closes all connections after everything sent has been handed to the system. */
  async close(): Promise<void> {
    this.#listener.close();
    await Promise.all([...this.peers].map(async ({ connection }) => {
      await connection.flush();
      connection.close();
    }));
  }
}

/** A connected peer. */
export class Peer {
  readonly connection: ZmtpConnection;
  #topics: Uint8Array[] = [];

  /** @param connection Its connection, after the handshake. */
  constructor(connection: ZmtpConnection) {
    this.connection = connection;
  }

  /** Sends a message; it is lost if the peer has disconnected. */
  send(frames: Uint8Array[]): void {
    this.connection.send(frames).catch(() => {});
  }

  /**
   * Handles a subscription (1, topic) or its end (0, topic). Returns whether it was a subscription.
   */
  subscribe(frames: Uint8Array[]): boolean {
    const [kind, ...topic] = frames[0];
    if (kind === 1) this.#topics.push(Uint8Array.from(topic));
    else if (kind === 0) {
      const at = this.#topics.findIndex((one) => one.join() === topic.join());
      if (at >= 0) this.#topics.splice(at, 1);
    }
    return kind === 1;
  }

  /** Whether the peer is subscribed to a topic. */
  wants(topic: Uint8Array): boolean {
    return this.#topics.some((prefix) => prefix.every((byte, i) => topic[i] === byte));
  }
}
