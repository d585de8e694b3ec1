// The part of the prelude for Workers: their output, which the stock kernel loses, is treated like
// the cell's own output. It is written immediately, even while the main thread is busy.

/** The module that each worker imports first, as JavaScript. */
export function workerSource(record: string): string {
  return `(${installInWorker.toString()})(${JSON.stringify(record)});`;
}

/** Runs inside the kernel: it may use nothing from outside its own body. */
export function hearWorkers(source: string): void {
  const { createObjectURL, revokeObjectURL } = URL;
  const script = (parts: BlobPart[], type = "application/javascript") =>
    createObjectURL.call(URL, new Blob(parts, { type }));
  const first = script([source]);
  // A blob's URL is often revoked before our module could import it, so its content is used.
  const blobs = new Map<string, Blob>();
  URL.createObjectURL = (blob) => {
    const url = createObjectURL.call(URL, blob);
    blobs.set(url, blob as Blob);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    blobs.delete(String(url));
    revokeObjectURL.call(URL, url);
  };
  const NativeWorker = globalThis.Worker;
  class HeardWorker extends NativeWorker {
    constructor(specifier: string | URL, options?: WorkerOptions) {
      const url = String(specifier);
      const blob = blobs.get(url);
      // The native constructor refuses a URL that is not absolute.
      const own = /^(file|https?|data|npm|jsr):/.test(url);
      const begin = `import ${JSON.stringify(first)};`;
      super(
        blob !== undefined
          ? script([begin, blob], blob.type || undefined)
          : own
          ? script([`${begin}import ${JSON.stringify(url)};`])
          : url,
        options,
      );
    }
  }
  Object.defineProperty(HeardWorker, "name", { value: "Worker" });
  globalThis.Worker = HeardWorker;

  // Node's take code, paths, and addresses of files and data only.
  // deno-lint-ignore no-explicit-any
  const { process } = globalThis as any;
  const threads = process.getBuiltinModule("node:worker_threads");
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  const fs = process.getBuiltinModule("node:fs");
  const data = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  class HeardThread extends threads.Worker {
    // deno-lint-ignore no-explicit-any
    constructor(file: string | URL, options?: any) {
      if (options?.eval && typeof file === "string") {
        super(source + file, options);
        return;
      }
      const path = typeof file === "string" && /^(\.\.?)?[\\/]|^[A-Za-z]:[\\/]/.test(file);
      const url = path ? pathToFileURL(file) : file;
      // The worker itself should report what it refuses or does not find.
      if (!(url instanceof URL && (url.protocol === "data:" || fs.existsSync(url)))) {
        super(file, options);
        return;
      }
      const named = `process.argv[1] = ${JSON.stringify(path ? file : url.href)};`;
      const parts = [data(source + named), url.href].map((one) => `import ${JSON.stringify(one)};`);
      super(new URL(data(parts.join(""))), options);
    }
  }
  Object.defineProperty(HeardThread, "name", { value: "Worker" });
  threads.Worker = HeardThread;
  process.getBuiltinModule("node:module").syncBuiltinESMExports();
}

/** Runs inside each worker, before its own module. */
function installInWorker(record: string) {
  // deno-lint-ignore no-explicit-any
  const D = Deno as any;
  let pipe: Deno.FsFile;
  try {
    pipe = Deno.openSync("/dev/stdout", { write: true });
  } catch {
    return; // No pipe on this system, or no permission.
  }
  const encoder = new TextEncoder();
  // A write of at most this many bytes is whole among those of other threads (PIPE_BUF).
  const most = D.build.os === "linux" ? 4096 : 512;
  const frame = encoder.encode(
    record +
      JSON.stringify({ type: "output", kind: "stream", content: { name: "stdout", text: "" } }) +
      "\n",
  ).length;
  // A character may be written as \uXXXX, six bytes, or as six bytes of quoted control characters.
  const step = Math.floor((most - frame) / 6);
  const print = (name: string, text: string) => {
    for (let at = 0; at < text.length; at += step) {
      const content = { name, text: text.slice(at, at + step) };
      const line = JSON.stringify({ type: "output", kind: "stream", content });
      pipe.writeSync(encoder.encode(`${record}${line}\n`));
    }
  };
  Object.assign(
    console,
    new D[D.internal].Console((text: string, level: number) =>
      print(level > 1 ? "stderr" : "stdout", text)
    ),
  );
  for (const name of ["stdout", "stderr"] as const) {
    const decoder = new TextDecoder();
    const writeSync = (bytes: Uint8Array) => {
      print(name, decoder.decode(bytes, { stream: true }));
      return bytes.length;
    };
    Object.defineProperties(D[name], {
      writeSync: { value: writeSync, configurable: true, writable: true },
      write: {
        value: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
        configurable: true,
        writable: true,
      },
    });
  }
}
