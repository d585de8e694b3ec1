// The system calls that a sandboxed kernel may not make, as filters for Linux's seccomp: no new
// processes, no memory that its limits do not count, none of the doors out of a namespace.

/** Numbers of system calls by processor, from Linux's tables. */
interface Table {
  /** `AUDIT_ARCH_…` of linux/audit.h. */
  audit: number;
  clone: number;
  mmap: number;
  socket: number;
  socketpair: number;
  setsockopt: number;
  /** `seccomp` itself. */
  seccomp: number;
  refused: number[];
}

/** Calls with the same numbers everywhere: mounts by file descriptor, io_uring, secret memory. */
const NEW_CALLS = [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 447];
/** Calls from here on are younger than these tables: programs do without them. */
const UNKNOWN_CALLS = 448;

const TABLES: Partial<Record<typeof Deno.build.arch, Table>> = {
  x86_64: {
    audit: 0xc000003e,
    clone: 56,
    mmap: 9,
    socket: 41,
    socketpair: 53,
    setsockopt: 54,
    seccomp: 317,
    refused: [
      ...[57, 58], // fork, vfork
      ...[29, 30, 319], // shmget, shmat, memfd_create
      ...[64, 68, 240], // semget, msgget, mq_open
      ...[101, 310, 311], // ptrace, process_vm_readv, process_vm_writev
      ...[155, 161, 165, 166, 272, 308], // pivot_root, chroot, mount, umount2, unshare, setns
      ...[248, 249, 250], // add_key, request_key, keyctl
      ...[298, 300, 321, 323], // perf_event_open, fanotify_init, bpf, userfaultfd
      ...[103, 154, 172, 173], // syslog, modify_ldt, iopl, ioperm
      ...[303, 304], // name_to_handle_at, open_by_handle_at
      ...[163, 167, 168, 169, 175, 176, 179, 246, 313, 320], // acct, swap, reboot, modules, quotactl, kexec
      ...[206], // io_setup
      ...NEW_CALLS,
    ],
  },
  aarch64: {
    audit: 0xc00000b7,
    clone: 220,
    mmap: 222,
    socket: 198,
    socketpair: 199,
    setsockopt: 208,
    seccomp: 277,
    refused: [
      ...[194, 196, 279],
      ...[190, 186, 180],
      ...[117, 270, 271],
      ...[39, 40, 41, 51, 97, 268],
      ...[217, 218, 219],
      ...[241, 262, 280, 282],
      ...[116],
      ...[264, 265],
      ...[60, 89, 104, 105, 106, 142, 224, 225, 273, 294],
      ...[0],
      ...NEW_CALLS,
    ],
  },
};

const CLONE3 = 435;
const EPERM = 1, ENOSYS = 38, EAFNOSUPPORT = 97;
const CLONE_THREAD = 0x10000;
const MAP_SHARED = 0x01, MAP_ANONYMOUS = 0x20, MAP_GROWSDOWN = 0x100;
/** AF_INET, AF_INET6, AF_NETLINK: AF_UNIX leads to files, others, such as AF_VSOCK, out of the network namespace. */
const SOCKET_FAMILIES = [2, 10, 16];
const SOL_SOCKET = 1;
/** SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE: what a socket keeps is the system's memory. */
const BUFFER_OPTIONS = [7, 8, 32, 33];

// linux/bpf_common.h and linux/seccomp.h
const LOAD = 0x20, EQUAL = 0x15, AT_LEAST = 0x35, ANY_BIT = 0x45, RETURN = 0x06;
const ALLOW = 0x7fff0000, ERRNO = 0x00050000, KILL = 0x80000000;
const NUMBER = 0, ARCHITECTURE = 4;
const argument = (n: number) => 16 + 8 * n;

type Instruction = [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * Makes the filter that holds from the kernel's start.
 *
 * @param architecture The processor.
 * @returns `struct sock_filter[]` in the processor's byte order (little endian); undefined where the
 *   processor's table is not known.
 */
export function seccompFilter(
  architecture: typeof Deno.build.arch = Deno.build.arch,
): Uint8Array<ArrayBuffer> | undefined {
  const table = TABLES[architecture];
  if (table === undefined) return undefined;
  const refuse = (errno: number): Instruction => [RETURN, 0, 0, ERRNO | errno];
  const allow: Instruction = [RETURN, 0, 0, ALLOW];
  /** A call's own rules, which must return; other calls jump over them. */
  const onCall = (number: number, rules: Instruction[]): Instruction[] => [
    [EQUAL, 0, rules.length, number],
    ...rules,
  ];
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE],
    [EQUAL, 1, 0, table.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER],
    // x86-64's second table of calls, with other numbers, lies far above.
    [AT_LEAST, 0, 1, UNKNOWN_CALLS],
    refuse(ENOSYS),
    ...table.refused.flatMap((number) => onCall(number, [refuse(EPERM)])),
    // Its flags lie in memory, which a filter cannot read: the C library then takes clone.
    ...onCall(CLONE3, [refuse(ENOSYS)]),
    ...onCall(table.clone, [
      [LOAD, 0, 0, argument(0)],
      [ANY_BIT, 1, 0, CLONE_THREAD],
      refuse(EPERM),
      allow,
    ]),
    // Shared memory without a file and stacks that grow are not counted as the process's data.
    ...onCall(table.mmap, [
      [LOAD, 0, 0, argument(3)],
      [ANY_BIT, 0, 1, MAP_GROWSDOWN],
      refuse(EPERM),
      [ANY_BIT, 0, 2, MAP_ANONYMOUS],
      [ANY_BIT, 0, 1, MAP_SHARED],
      refuse(EPERM),
      allow,
    ]),
    ...onCall(table.socket, [
      [LOAD, 0, 0, argument(0)],
      ...SOCKET_FAMILIES.map((family, i): Instruction => [
        EQUAL,
        SOCKET_FAMILIES.length - i,
        0,
        family,
      ]),
      refuse(EAFNOSUPPORT),
      allow,
    ]),
    ...onCall(table.setsockopt, [
      [LOAD, 0, 0, argument(1)],
      [EQUAL, 1, 0, SOL_SOCKET],
      allow,
      [LOAD, 0, 0, argument(2)],
      ...BUFFER_OPTIONS.map((option, i): Instruction => [
        EQUAL,
        BUFFER_OPTIONS.length - i,
        0,
        option,
      ]),
      allow,
      refuse(EPERM),
    ]),
    allow,
  ];
  return assemble(program);
}

/**
 * Code for the kernel that takes from it what only its start needed: pairs of sockets, of which Deno
 * makes one for its signals. It has to be run before any cell; it throws where it has no effect.
 *
 * @param architecture The processor, whose table must be known.
 */
export function lockSource(architecture: typeof Deno.build.arch = Deno.build.arch): string {
  const { seccomp, socketpair } = TABLES[architecture]!;
  const filter = assemble([
    [LOAD, 0, 0, NUMBER],
    [EQUAL, 0, 1, socketpair],
    [RETURN, 0, 0, ERRNO | EPERM],
    [RETURN, 0, 0, ALLOW],
  ]);
  return `(${lock.toString()})(${JSON.stringify({ seccomp, filter: [...filter] })});void 0`;
}

/** Runs inside the kernel: it may use nothing from outside its own body. */
function lock({ seccomp, filter }: { seccomp: number; filter: number[] }) {
  const libc = Deno.dlopen("libc.so.6", {
    syscall: { parameters: ["i64", "i64", "i64", "buffer"], result: "i64" },
  });
  const program = Uint8Array.from(filter);
  // struct sock_fprog: the number of instructions, and where they are.
  const header = new DataView(new ArrayBuffer(16));
  header.setUint16(0, program.length / 8, true);
  header.setBigUint64(8, Deno.UnsafePointer.value(Deno.UnsafePointer.of(program)), true);
  const SET_MODE_FILTER = 1n, ALL_THREADS = 1n;
  const failed = libc.symbols.syscall(
    BigInt(seccomp),
    SET_MODE_FILTER,
    ALL_THREADS,
    new Uint8Array(header.buffer),
  );
  if (failed !== 0n) throw new Error("The kernel cannot be locked");
  libc.close();
}

function assemble(program: Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [code, ifTrue, ifFalse, value]] of program.entries()) {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, ifTrue);
    view.setUint8(8 * i + 3, ifFalse);
    view.setUint32(8 * i + 4, value >>> 0, true);
  }
  return bytes;
}
