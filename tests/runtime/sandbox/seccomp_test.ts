// The filters of system calls, for both processors, run by an interpreter of their programs: the numbers
// are those of Linux's headers (asm/unistd_64.h and asm-generic/unistd.h), by name.

import { assertEquals } from "@std/assert";
import { seccompFilter } from "../../../lib/runtime/sandbox/seccomp.ts";

/** Numbers on x86-64 and on 64-bit ARM; undefined where the processor has no such call. */
type Numbers = Record<string, [number | undefined, number | undefined]>;

const REFUSED: Numbers = {
  fork: [57, undefined],
  vfork: [58, undefined],
  shmget: [29, 194],
  shmat: [30, 196],
  memfd_create: [319, 279],
  semget: [64, 190],
  msgget: [68, 186],
  mq_open: [240, 180],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  pivot_root: [155, 41],
  chroot: [161, 51],
  mount: [165, 40],
  umount2: [166, 39],
  unshare: [272, 97],
  setns: [308, 268],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  perf_event_open: [298, 241],
  fanotify_init: [300, 262],
  bpf: [321, 280],
  userfaultfd: [323, 282],
  syslog: [103, 116],
  modify_ldt: [154, undefined],
  iopl: [172, undefined],
  ioperm: [173, undefined],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  acct: [163, 89],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  init_module: [175, 105],
  delete_module: [176, 106],
  quotactl: [179, 60],
  kexec_load: [246, 104],
  finit_module: [313, 273],
  kexec_file_load: [320, 294],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  pidfd_getfd: [438, 438],
  mount_setattr: [442, 442],
  memfd_secret: [447, 447],
  io_setup: [206, 0],
};

const ALLOWED: Record<string, [number, number]> = {
  read: [0, 63],
  write: [1, 64],
  openat: [257, 56],
  close: [3, 57],
  fstat: [5, 80],
  lseek: [8, 62],
  mmap: [9, 222],
  munmap: [11, 215],
  mprotect: [10, 226],
  brk: [12, 214],
  rt_sigaction: [13, 134],
  ioctl: [16, 29],
  pread64: [17, 67],
  writev: [20, 66],
  sched_yield: [24, 124],
  madvise: [28, 233],
  futex: [202, 98],
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  epoll_pwait: [281, 22],
  eventfd2: [290, 19],
  getpid: [39, 172],
  getrandom: [318, 278],
  exit_group: [231, 94],
  exit: [60, 93],
  clock_gettime: [228, 113],
  nanosleep: [35, 101],
  sendto: [44, 206],
  recvfrom: [45, 207],
  bind: [49, 200],
  listen: [50, 201],
  connect: [42, 203],
  accept4: [288, 242],
  getsockname: [51, 204],
  pipe2: [293, 59],
  dup3: [292, 24],
  prctl: [157, 167],
  kill: [62, 129],
  tgkill: [234, 131],
  unlinkat: [263, 35],
  mkdirat: [258, 34],
  renameat: [264, 38],
  symlinkat: [266, 36],
  statx: [332, 291],
  execve: [59, 221],
  seccomp: [317, 277],
};

const PROCESSORS = [
  { name: "x86_64", audit: 0xc000003e, clone: 56, mmap: 9, socket: 41, setsockopt: 54 },
  { name: "aarch64", audit: 0xc00000b7, clone: 220, mmap: 222, socket: 198, setsockopt: 208 },
] as const;

/** What a filter says of a call: `struct seccomp_data` is number, processor, place, six arguments. */
function verdict(filter: Uint8Array, audit: number, number: number, args: number[] = []): string {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, audit, true);
  for (const [i, value] of args.entries()) data.setBigUint64(16 + 8 * i, BigInt(value), true);
  const program = new DataView(filter.buffer);
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at++) {
    const code = program.getUint16(8 * at, true);
    const [ifTrue, ifFalse] = [program.getUint8(8 * at + 2), program.getUint8(8 * at + 3)];
    const value = program.getUint32(8 * at + 4, true);
    const jump = (met: boolean) => void (at += met ? ifTrue : ifFalse);
    // linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ, |BPF_JGE, |BPF_JSET, BPF_RET.
    if (code === 0x20) accumulator = data.getUint32(value, true);
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x06) {
      const action = value & 0xffff0000;
      if (action === 0x7fff0000) return "allowed";
      if (action === 0x00050000) return `refused ${value & 0xffff}`;
      return "killed";
    } else throw new Error(`instruction ${code}`);
  }
  throw new Error("the program has no end");
}

const EPERM = "refused 1", ENOSYS = "refused 38", EAFNOSUPPORT = "refused 97";

for (const [i, { name, audit, clone, mmap, socket, setsockopt }] of PROCESSORS.entries()) {
  Deno.test(`the filter of system calls for ${name} refuses by name and by argument`, () => {
    const filter = seccompFilter(name)!;
    const on = (number: number, ...args: number[]) => verdict(filter, audit, number, args);
    for (const [call, numbers] of Object.entries(REFUSED)) {
      const number = numbers[i];
      if (number !== undefined) assertEquals(on(number), EPERM, call);
    }
    for (const [call, numbers] of Object.entries(ALLOWED)) {
      assertEquals(on(numbers[i]), "allowed", call);
    }
    // Threads and no processes, by both calls.
    assertEquals([on(clone, 0x10000), on(clone, 17), on(clone, 0x10000000)], [
      "allowed",
      EPERM,
      EPERM,
    ]);
    assertEquals(on(435), ENOSYS);
    // Private memory and files, nothing shared without a file, nothing that grows.
    const mapped = (flags: number) => on(mmap, 0, 4096, 3, flags);
    assertEquals([0x22, 0x02, 0x01].map(mapped), ["allowed", "allowed", "allowed"]);
    assertEquals([0x21, 0x122, 0x102, 0x121].map(mapped), [EPERM, EPERM, EPERM, EPERM]);
    // TCP, UDP and netlink, of all families; buffers stay as small as they are.
    assertEquals([2, 10, 16].map((family) => on(socket, family)), Array(3).fill("allowed"));
    assertEquals(
      [0, 1, 17, 38, 40, 44].map((family) => on(socket, family)),
      Array(6).fill(EAFNOSUPPORT),
    );
    const option = (level: number, which: number) => on(setsockopt, 3, level, which);
    assertEquals([7, 8, 32, 33].map((which) => option(1, which)), Array(4).fill(EPERM));
    assertEquals([option(1, 2), option(6, 7)], ["allowed", "allowed"]);
    // Calls of the future, of the second table of x86-64, and of another processor.
    assertEquals([on(448), on(5000), on(0x40000000 + 39)], [ENOSYS, ENOSYS, ENOSYS]);
    assertEquals(verdict(filter, 0x40000003, 1), "killed");
  });
}
