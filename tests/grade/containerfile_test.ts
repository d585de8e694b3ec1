// The Containerfile's steps, run as they stand in a bare Debian, and a course graded there. What it cannot try: the
// image that it starts from, of which a bare Debian with this Deno takes the place, and a container engine.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { GOOD, SmallCourse } from "./small_course.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const PROGRAMS = ["mmdebstrap", "unshare", "chroot", "mount"];

/** An instruction and what follows it, on one line. */
type Step = [instruction: string, rest: string];

/** Reads a Containerfile of the instructions that ours has. */
function readSteps(text: string): Step[] {
  return text.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n/g, " ").split("\n")
    .map((line) => line.trim()).filter((line) => line !== "")
    .map((line) => [line.split(" ", 1)[0]!, line.slice(line.indexOf(" ") + 1).trim()]);
}

async function fault(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "needs Linux and root";
  for (const program of PROGRAMS) {
    const { success } = await new Deno.Command("sh", {
      args: ["-c", `PATH=$PATH:/usr/sbin; command -v ${program}`],
      stdout: "null",
    }).output();
    if (!success) return `needs ${program}: apt-get install mmdebstrap util-linux mount`;
  }
}

const missing = await fault();

/** What an engine lends a build: the way to the registries, and whom to trust on it. */
const LENT_FILES = ["etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"];
const LENT_VARIABLES =
  /^(?:https?_proxy|no_proxy|npm_config_registry|ssl_cert_(?:file|dir)|node_extra_ca_certs|deno_(?:cert|tls_ca_store))$/i;

const lent = Object.fromEntries(
  Object.entries(Deno.env.toObject()).filter(([name]) => LENT_VARIABLES.test(name)),
);

/** A bare Debian in a folder, in which commands run. */
class BareDebian implements AsyncDisposable {
  readonly #env: Record<string, string> = {};
  #cwd = "/";

  private constructor(readonly root: string) {}

  static async make(): Promise<BareDebian> {
    const root = await Deno.makeTempDir({ prefix: "tunebook-debian-" });
    const debian = new BareDebian(root);
    try {
      await run("mmdebstrap", [
        "--variant=apt",
        "--include=ca-certificates,mount",
        "bookworm",
        root,
      ]);
      for (const path of LENT_FILES) {
        await run("cp", ["-L", `/${path}`, join(root, path)]);
      }
      // In place of the image's own.
      await Deno.copyFile(Deno.execPath(), join(root, "usr/bin/deno"));
      await Deno.chmod(join(root, "usr/bin/deno"), 0o755);
      return debian;
    } catch (error) {
      await debian[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Does a step; gives an entry point's words. */
  async step([instruction, rest]: Step): Promise<string[] | undefined> {
    if (instruction === "RUN") await this.run(["/bin/sh", "-c", rest]);
    else if (instruction === "ENV") {
      const [name, value] = rest.split("=") as [string, string];
      this.#env[name] = value;
    } else if (instruction === "WORKDIR") {
      this.#cwd = rest;
      await Deno.mkdir(join(this.root, rest), { recursive: true });
    } else if (instruction === "COPY") {
      const [to, ...from] = rest.split(" ").toReversed() as [string, ...string[]];
      for (const path of from) {
        const place = join(this.root, this.#cwd, to.endsWith("/") ? join(to, path) : to);
        await run("cp", ["-r", join(ROOT, path), place]);
      }
    } else if (instruction === "ENTRYPOINT") return JSON.parse(rest);
    else throw new Error(`Unknown instruction "${instruction}"`);
  }

  /** Runs a command in it, with the mounts that a container has. */
  async run(command: string[], folders: Record<string, string> = {}): Promise<string> {
    const mounts = [
      'mount --bind "$1" "$1" && cd "$1" && mount --rbind /dev dev && mount -t proc proc proc',
      ...Object.entries(folders).map(([to, from]) => `mount --bind '${from}' ".${to}"`),
      'shift && pivot_root . mnt && umount --lazy /mnt && exec chroot . /usr/bin/env -C "$@"',
    ];
    const env = {
      ...this.#env,
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    };
    return await run("unshare", [
      ...["--mount", "--pid", "--fork", "--kill-child", "--", "/bin/sh", "-c", mounts.join(" && ")],
      ...["sh", this.root, this.#cwd, ...command],
    ], { ...env, HOME: "/root", NO_COLOR: "1", DEBIAN_FRONTEND: "noninteractive" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

async function run(
  program: string,
  args: string[],
  env?: Record<string, string>,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    ...env && { env: { ...lent, ...env }, clearEnv: true },
  }).output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout) + decoder.decode(stderr);
  assertEquals(code, 0, `${program} ${args.join(" ")}\n${said.slice(-4000)}`);
  return said;
}

Deno.test({
  name: "the steps of the Containerfile run in a bare Debian, which then grades a course" +
    (missing === undefined ? "" : ` (${missing})`),
  ignore: missing !== undefined,
  async fn() {
    const [[from, image], ...steps] = readSteps(
      await Deno.readTextFile(join(ROOT, "Containerfile")),
    ) as [Step, ...Step[]];
    assertEquals([from, image], ["FROM", `docker.io/denoland/deno:debian-${Deno.version.deno}`]);
    await using debian = await BareDebian.make();
    let entry: readonly string[] = [];
    for (const step of steps) entry = await debian.step(step) ?? entry;
    assert(entry.length > 0);

    await using course = await SmallCourse.open();
    await course.submit("ada", "week2", GOOD);
    await course.submit("bob", "week2", {
      three: "const three = (await fetch('http://1.1.1.1')).ok ? 3 : 4;",
    });
    const said = await debian.run([...entry, "autograde", "week2"], { "/course": course.root });
    assertMatch(said, /Graded 2 submissions/);
    assertMatch(said, /ada, week2: 1 of 1 points/);
    assertMatch(said, /bob, week2: 0 of 1 points/);
  },
});
