/**
 * An MPI library through FFI. Two binary interfaces exist: Open MPI's handles are addresses of its global symbols, those
 * of MPICH and what descends from it (Intel MPI, MVAPICH, Cray MPICH) are integers with fixed values.
 *
 * @module
 */

/** A communicator or datatype. */
type Handle = Deno.PointerValue | number;

/** The values that differ between binary interfaces. */
interface Handles {
  readonly world: Handle;
  readonly byte: Handle;
  readonly errorsReturn: Handle;
}

/** How much an MPI must allow threads: calls come from several, one at a time. */
const SERIALIZED = 2;

/** What the levels are called, by number. */
const LEVELS = [
  "MPI_THREAD_SINGLE",
  "MPI_THREAD_FUNNELED",
  "MPI_THREAD_SERIALIZED",
  "MPI_THREAD_MULTIPLE",
];

/** Fixed by MPICH's ABI compatibility initiative. */
const MPICH_HANDLES: Handles = { world: 0x44000000, byte: 0x4c00010d, errorsReturn: 0x54000001 };

/** Bytes that hold any implementation's `MPI_Status`, of which nothing is read. */
const STATUS_BYTES = 128;

/** Bytes for any text that MPI writes: `MPI_MAX_LIBRARY_VERSION_STRING` is at most 8192. */
const TEXT_BYTES = 8192;

const VERSION = {
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
} as const;

const OPEN_MPI = {
  ompi_mpi_comm_world: { type: "pointer" },
  ompi_mpi_byte: { type: "pointer" },
  ompi_mpi_errors_return: { type: "pointer" },
} as const;

/** The functions, with handles as one family passes them. */
function functions<H extends "pointer" | "i32">(handle: H) {
  return {
    MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
    MPI_Comm_set_errhandler: { parameters: [handle, handle], result: "i32" },
    MPI_Comm_rank: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Comm_size: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    MPI_Ibarrier: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Iallgather: {
      parameters: ["buffer", "i32", handle, "buffer", "i32", handle, handle, "buffer"],
      result: "i32",
    },
    MPI_Test: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
    MPI_Alltoall: {
      parameters: ["buffer", "i32", handle, "buffer", "i32", handle, handle],
      result: "i32",
      nonblocking: true,
    },
    MPI_Allgather: {
      parameters: ["buffer", "i32", handle, "buffer", "i32", handle, handle],
      result: "i32",
      nonblocking: true,
    },
    MPI_Bcast: {
      parameters: ["buffer", "i32", handle, "i32", handle],
      result: "i32",
      nonblocking: true,
    },
    MPI_Abort: { parameters: [handle, "i32"], result: "i32" },
    MPI_Finalize: { parameters: [], result: "i32" },
  } as const;
}

/** The functions with handles of either kind, as they are called here. */
type Functions = {
  [Name in keyof ReturnType<typeof functions>]: (
    ...parameters: (Handle | Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>)[]
  ) => ReturnType<typeof functions>[Name] extends { nonblocking: true } ? Promise<number> : number;
};

/** The bytes that go through MPI. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** An operation under way. */
export interface Request {
  /** Whether it has ended; asking makes it proceed. */
  done(): boolean;
}

/** A loaded MPI. Its calls are made one at a time: see `communicator.ts`. */
export class MpiLibrary {
  /** What it calls itself, with its version. */
  readonly version: string;
  readonly #functions: Functions;
  readonly #handles: Handles;

  private constructor(version: string, functions: Functions, handles: Handles) {
    this.version = version;
    this.#functions = functions;
    this.#handles = handles;
  }

  /**
   * Loads a library, without initialising it.
   *
   * @param path A path or a name that the system's loader finds.
   * @returns The library.
   * @throws {TypeError} If there is no such library, or its binary interface is not known.
   */
  static load(path: string): MpiLibrary {
    const named = Deno.dlopen(path, VERSION);
    const version = readText((bytes, length) =>
      named.symbols.MPI_Get_library_version(bytes, length)
    ).split(/[\n,]/)[0].replace(/\s+/g, " ").replace("MPICH Version:", "MPICH").trim();
    const isOpenMpi = version.startsWith("Open MPI");
    if (!isOpenMpi && !/MPICH|Intel|MVAPICH|CRAY/i.test(version)) {
      throw new TypeError(
        `Cannot use the MPI "${path}": expected Open MPI, MPICH or what descends from it, found "${version}"`,
      );
    }
    // Each library is opened once for its functions and stays open: MPI cannot be unloaded.
    const { symbols } = isOpenMpi
      ? Deno.dlopen(path, functions("pointer"))
      : Deno.dlopen(path, functions("i32"));
    return new MpiLibrary(
      version,
      symbols as unknown as Functions,
      isOpenMpi ? openMpiHandles(path) : MPICH_HANDLES,
    );
  }

  /**
   * Initialises MPI, with calls from several threads, one at a time.
   *
   * @throws {Error} If it fails, or allows fewer threads.
   */
  initialize(): void {
    const provided = new Int32Array(1);
    // Before this call there is no handler of errors: MPI itself ends the process.
    this.#check("MPI_Init_thread", null, null, SERIALIZED, provided);
    if (provided[0] < SERIALIZED) {
      throw new Error(
        `Cannot use ${this.version}: it allows ${LEVELS[provided[0]] ?? provided[0]}, and ` +
          `${LEVELS[SERIALIZED]} is needed; expected an MPI built for threads`,
      );
    }
    this.#check("MPI_Comm_set_errhandler", this.#handles.world, this.#handles.errorsReturn);
  }

  /** The number of this process, from 0. */
  get rank(): number {
    return this.#number("MPI_Comm_rank");
  }

  /** How many processes there are. */
  get size(): number {
    return this.#number("MPI_Comm_size");
  }

  /** Starts to wait for all ranks. */
  startBarrier(): Request {
    const request = new Uint8Array(8);
    this.#check("MPI_Ibarrier", this.#handles.world, request);
    return this.#request(request);
  }

  /** Starts to collect every rank's bytes in all ranks; neither array may be used before it has ended. */
  startAllgather(own: Bytes, all: Bytes): Request {
    const { world, byte } = this.#handles;
    const request = new Uint8Array(8);
    const { length } = own;
    this.#check("MPI_Iallgather", own, length, byte, all, length, byte, world, request);
    return this.#request(request, own, all);
  }

  /** Collects every rank's bytes in all ranks, in a thread that waits. */
  async allgather(own: Bytes, all: Bytes): Promise<void> {
    const { world, byte } = this.#handles;
    const { length } = own;
    await this.#wait("MPI_Allgather", own, length, byte, all, length, byte, world);
  }

  /** Sends part r of the bytes to rank r, and receives as many from each, in a thread that waits. */
  async alltoall(own: Bytes, received: Bytes, size: number): Promise<void> {
    const { world, byte } = this.#handles;
    const count = own.length / size;
    await this.#wait("MPI_Alltoall", own, count, byte, received, count, byte, world);
  }

  /** Gives rank 0's bytes to all ranks, in a thread that waits. */
  async broadcast(bytes: Bytes): Promise<void> {
    const { world, byte } = this.#handles;
    await this.#wait("MPI_Bcast", bytes, bytes.length, byte, 0, world);
  }

  /** Ends all ranks. Does not return, where MPI does as it should. */
  abort(code: number): void {
    this.#functions.MPI_Abort(this.#handles.world, code);
  }

  /** Ends the use of MPI, together with all ranks. */
  finalize(): void {
    this.#check("MPI_Finalize");
  }

  #number(name: "MPI_Comm_rank" | "MPI_Comm_size"): number {
    const value = new Int32Array(1);
    this.#check(name, this.#handles.world, value);
    return value[0];
  }

  /** A request, which keeps the memory alive that it works on. */
  #request(request: Bytes, ...memory: Bytes[]): Request {
    const flag = new Int32Array(1);
    const status = new Uint8Array(STATUS_BYTES);
    return {
      done: () => {
        this.#check("MPI_Test", request, flag, status);
        if (flag[0] === 0) return false;
        memory.length = 0;
        return true;
      },
    };
  }

  #check(
    name: keyof Functions,
    ...parameters: Parameters<Functions[keyof Functions]>
  ): void {
    this.#assertSuccess(name, this.#functions[name](...parameters) as number);
  }

  async #wait(
    name: "MPI_Allgather" | "MPI_Alltoall" | "MPI_Bcast",
    ...parameters: Parameters<Functions[keyof Functions]>
  ): Promise<void> {
    this.#assertSuccess(name, await this.#functions[name](...parameters));
  }

  #assertSuccess(name: string, code: number): void {
    if (code === 0) return;
    const said = readText((bytes, length) => this.#functions.MPI_Error_string(code, bytes, length));
    throw new Error(`Cannot continue with ${this.version}: ${name} fails: ${said}`);
  }
}

function openMpiHandles(path: string): Handles {
  const { symbols } = Deno.dlopen(path, OPEN_MPI);
  return {
    world: symbols.ompi_mpi_comm_world,
    byte: symbols.ompi_mpi_byte,
    errorsReturn: symbols.ompi_mpi_errors_return,
  };
}

/** Reads a text that MPI writes with its length. */
function readText(write: (bytes: Bytes, length: Int32Array<ArrayBuffer>) => unknown): string {
  const bytes = new Uint8Array(TEXT_BYTES);
  const length = new Int32Array(1);
  write(bytes, length);
  return new TextDecoder().decode(bytes.subarray(0, length[0])).replace(/\0.*$/s, "");
}
