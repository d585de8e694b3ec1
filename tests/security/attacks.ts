// What a hostile notebook tries against the sandbox, a row each: the cell that tries it, and its
// required output. A cell prints one JSON value.

/** An attack, or something harmless that must keep working. */
export interface Attack {
  /** What it tries. */
  tries: string;
  /** The cell. `libc`, `call`, `errno` and `tried` are there. */
  cell: string;
  /** Whether what the cell printed shows that the wall holds. */
  // deno-lint-ignore no-explicit-any
  holds: (seen: any) => boolean;
}

/** Memory that the notebook may use, in MiB. */
export const MEMORY = 512;
/** How far above it memory may come, in MiB: what Deno reserves and does not use. */
const SLACK = 1280;

/** The cell that comes first: native calls, and a way to try things one by one. */
export const SETUP = `
const libc = Deno.dlopen("libc.so.6", {
  syscall: { parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], result: "i64" },
  mmap: { parameters: ["i64", "i64", "i32", "i32", "i32", "i64"], result: "i64" },
  munmap: { parameters: ["i64", "i64"], result: "i32" },
  mprotect: { parameters: ["i64", "i64", "i32"], result: "i32" },
  memset: { parameters: ["i64", "i32", "i64"], result: "i64" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  pthread_create: { parameters: ["buffer", "buffer", "pointer", "pointer"], result: "i32" },
  pthread_attr_init: { parameters: ["buffer"], result: "i32" },
  pthread_attr_setstacksize: { parameters: ["buffer", "i64"], result: "i32" },
  dlsym: { parameters: ["i64", "buffer"], result: "pointer" },
}).symbols;
const text = (string) => new TextEncoder().encode(string + "\\0");
const call = (number, ...args) =>
  Number(libc.syscall(BigInt(number), ...[...args, 0, 0, 0, 0, 0, 0].slice(0, 6).map(BigInt)));
const show = (value) => console.log(JSON.stringify(value));
/** What came of each attempt: "refused", or its value. */
const tried = async (attempts) => {
  const seen = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try { seen[name] = await attempt() ?? "done"; } catch { seen[name] = "refused"; }
  }
  return seen;
};
const MIB = 1n << 20n;
/** How many MiB a kind of mapping gives, tried up to eight times the limit. */
const mapped = (flags, fd = -1) => {
  const step = 64n, kept = [];
  while (kept.length * Number(step) < ${8 * MEMORY}) {
    const at = libc.mmap(0n, step * MIB, 3, flags, fd, 0n);
    if (at === -1n) break;
    kept.push(at);
  }
  for (const at of kept) libc.munmap(at, step * MIB);
  return kept.length * Number(step);
};
`;

const everyone = (wanted: unknown) => (seen: Record<string, unknown>) =>
  Object.keys(seen).length > 0 && Object.values(seen).every((value) => value === wanted);

/** Numbers of system calls on x86-64; other processors' tables differ, and these rows are left out there. */
const CALLS: Record<string, number> = {
  fork: 57,
  vfork: 58,
  shmget: 29,
  semget: 64,
  msgget: 68,
  mq_open: 240,
  memfd_create: 319,
  ptrace: 101,
  process_vm_readv: 310,
  process_vm_writev: 311,
  pivot_root: 155,
  chroot: 161,
  mount: 165,
  umount2: 166,
  unshare: 272,
  setns: 308,
  add_key: 248,
  keyctl: 250,
  perf_event_open: 298,
  fanotify_init: 300,
  bpf: 321,
  userfaultfd: 323,
  open_by_handle_at: 304,
  kexec_load: 246,
  init_module: 175,
  syslog: 103,
  modify_ldt: 154,
  io_uring_setup: 425,
  open_tree: 428,
  fsopen: 430,
  clone3: 435,
  pidfd_getfd: 438,
  memfd_secret: 447,
  "a call of the future": 461,
  "a call of the second table": 0x40000000 + 39,
};

/** The attacks. */
export const ATTACKS: Attack[] = [
  {
    tries: "to change the machine's settings by files of /proc",
    cell: `show(await tried(Object.fromEntries([
      "sys/kernel/core_pattern", "sys/vm/drop_caches", "sys/kernel/panic", "sys/net/ipv4/ip_forward",
      "sysrq-trigger", "self/oom_score_adj", "self/mem", "self/uid_map", "1/mem", "self/clear_refs",
    ].map((name) => [name, () => Deno.openSync("/proc/" + name, { write: true }).close()]))));`,
    holds: everyone("refused"),
  },
  {
    tries: "to be root, or to have capabilities",
    cell: `{ const status = Deno.readTextFileSync("/proc/self/status");
      const field = (name) => new RegExp("^" + name + ":\\\\s*(\\\\S+)", "m").exec(status)[1];
      show(["Uid", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp"].map(field)); }`,
    holds: (seen) =>
      JSON.stringify(seen) ===
        JSON.stringify(["65534", ...Array(3).fill("0000000000000000"), "1", "2"]),
  },
  {
    tries: "to get more memory by ordinary mappings",
    cell: `show(mapped(0x22));`,
    holds: (seen) => seen <= MEMORY + SLACK,
  },
  {
    tries: "to get memory that no limit counts: shared, growing, of a device, by a write to itself",
    cell: `show(await tried({
      shared: () => mapped(0x21),
      growing: () => mapped(0x122),
      growingShared: () => mapped(0x121),
      zero: () => { using file = Deno.openSync("/dev/zero", { read: true, write: true }); return mapped(1, 3); },
      mem: () => Deno.openSync("/proc/self/mem", { write: true }).close(),
    }));`,
    holds: (seen) =>
      seen.shared === 0 && seen.growing === 0 && seen.growingShared === 0 &&
      seen.zero === "refused" && seen.mem === "refused",
  },
  {
    tries: "to fill the system's memory by sockets",
    cell: `{ const pair = new Uint8Array(8);
      show({
        pairs: libc.socketpair(1, 1, 0, pair), datagrams: libc.socketpair(1, 2, 0, pair),
        unix: libc.socket(1, 1, 0), vsock: libc.socket(40, 1, 0), packet: libc.socket(17, 3, 0),
        buffer: libc.setsockopt(libc.socket(2, 1, 0), 1, 7, new Uint8Array([0, 0, 64, 0]), 4),
      }); }`,
    holds: everyone(-1),
  },
  {
    tries: "to fill the system's memory by connections to itself",
    cell: `{ const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const block = new Uint8Array(1 << 16);
      let bytes = 0, pairs = 0;
      const open = [];
      for (; pairs < 20; pairs++) {
        const [near, far] = await Promise.all([Deno.connect({ port: server.addr.port }), server.accept()]);
        open.push(near, far);
        for (const side of [near, far]) {
          for (;;) {
            const timer = Promise.withResolvers();
            const id = setTimeout(() => timer.resolve(0), 20);
            const sent = await Promise.race([side.write(block), timer.promise]);
            clearTimeout(id);
            if (sent === 0) break;
            bytes += sent;
          }
        }
      }
      for (const side of open) side.close();
      server.close();
      show(bytes / pairs); }`,
    holds: (seen) => seen > 0 && seen < 2 ** 20,
  },
  {
    tries: "to open very many files",
    cell: `{ const open = [];
      try { while (open.length < 4000) open.push(Deno.openSync("/dev/null")); } catch { /* That is the wall. */ }
      const count = open.length;
      for (const file of open) file.close();
      show(count); }`,
    holds: (seen) => seen > 100 && seen < 600,
  },
  {
    tries: "to make very many empty files",
    cell: `{ let files = 0;
      Deno.mkdirSync("/tmp/many");
      try { while (files < 100000) Deno.openSync("/tmp/many/" + files++, { write: true, create: true }).close(); } catch { /* That is the wall. */ }
      Deno.removeSync("/tmp/many", { recursive: true });
      show(files); }`,
    holds: (seen) => seen > 1000 && seen < 40_000,
  },
  ...Deno.build.arch === "x86_64"
    ? [{
      tries: "system calls that lead out, or to memory that no limit counts",
      // A process that a call did make must end, or it would print everything that follows again.
      cell: `show(Object.fromEntries(Object.entries(${
        JSON.stringify(CALLS)
      }).map(([name, number]) => {
        const result = call(number);
        if (result === 0 && (number === 57 || number === 58)) call(60);
        return [name, result];
      })));`,
      holds: everyone(-1),
    }]
    : [],
  {
    tries: "to let the runner hash or open what it may not read itself",
    cell:
      `if (false) { await import("file:///etc/passwd"); await import("file:///etc/hostname"); } show("done");`,
    holds: (seen) => seen === "done",
  },
  {
    tries: "nothing bad: signals, a worker, a server of its own and files keep working",
    cell: `show(await tried({
      signal: () => { const heard = () => {}; Deno.addSignalListener("SIGUSR1", heard); Deno.removeSignalListener("SIGUSR1", heard); },
      worker: () => new Promise((done) => {
        const url = URL.createObjectURL(new Blob(["postMessage(1); close();"], { type: "text/javascript" }));
        new Worker(url, { type: "module" }).onmessage = () => done("done");
      }),
      server: async () => {
        await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("done"));
        return await (await fetch("http://127.0.0.1:" + server.addr.port)).text();
      },
      file: () => { Deno.writeTextFileSync("/dev/shm/x", "done"); return Deno.readTextFileSync("/dev/shm/x"); },
      random: () => crypto.getRandomValues(new Uint8Array(4)).length === 4 ? "done" : "none",
    }));`,
    holds: everyone("done"),
  },
  // The last: its threads stay.
  {
    tries: "to start very many threads",
    cell: `{ const attributes = new Uint8Array(64);
      libc.pthread_attr_init(attributes);
      libc.pthread_attr_setstacksize(attributes, 16384n);
      const pause = libc.dlsym(0n, text("pause"));
      let threads = 0;
      while (threads < 2000 && libc.pthread_create(new Uint8Array(8), attributes, pause, null) === 0) threads++;
      show(threads); }`,
    holds: (seen) => seen > 100 && seen < 600,
  },
];

/** Attacks that end the kernel where the wall holds: each cell, which would print where it does not. */
export const FATAL: Pick<Attack, "tries" | "cell">[] = [
  {
    tries: "to have memory that is not counted, since it cannot be written any more",
    cell: `for (let i = 0; i < 100; i++) {
      const at = libc.mmap(0n, 64n * MIB, 3, 0x22, -1, 0n);
      libc.memset(at, 1, 64n * MIB);
      libc.mprotect(at, 64n * MIB, 1);
    }
    show("through");`,
  },
  {
    tries: "to have the system make tables of pages that are never written",
    cell: `{ const size = 1n << 41n, part = 1n << 21n;
      const at = libc.mmap(0n, size, 1, 0x4022, -1, 0n);
      for (let i = 0n; i < size; i += part) new Deno.UnsafePointerView(Deno.UnsafePointer.create(at + i)).getUint8(0);
      show("through"); }`,
  },
];
