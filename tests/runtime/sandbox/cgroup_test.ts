// Where this process's control groups are, by what /proc says on several systems.

import { assertEquals } from "@std/assert";
import { hierarchyOf } from "../../../lib/runtime/sandbox/cgroup.ts";

const V1 = {
  own: "9:pids:/user.slice/u\n4:memory:/user.slice/u\n1:name=systemd:/user.slice\n0::/user.slice\n",
  mounts: [
    "25 30 0:23 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755",
    "30 25 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:13 - cgroup cgroup rw,memory",
    "31 25 0:28 / /sys/fs/cgroup/pids rw,nosuid shared:14 - cgroup cgroup rw,pids",
    "32 25 0:29 / /sys/fs/cgroup/unified rw,nosuid shared:15 - cgroup2 cgroup2 rw,nsdelegate",
  ].join("\n"),
};
const V2 = {
  own: "0::/user.slice/user-1000.slice/session-2.scope\n",
  mounts: "25 30 0:23 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
};
/** In a container the mount shows a part of the hierarchy. */
const CONTAINER = {
  own: "4:memory:/docker/1f/inner\n",
  mounts: "30 25 0:27 /docker/1f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
};
/** In a namespace of its own a group sees itself as the top. */
const NAMESPACE = {
  own: "0::/\n",
  mounts: "25 30 0:23 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw\n",
};

Deno.test("control groups of versions 1 and 2 are found, in containers too", () => {
  const find = (controller: string, { own, mounts }: typeof V1) =>
    hierarchyOf(controller, own, mounts)?.own;
  assertEquals(find("memory", V1), "/sys/fs/cgroup/memory/user.slice/u");
  assertEquals(find("pids", V1), "/sys/fs/cgroup/pids/user.slice/u");
  assertEquals(find("", V1), "/sys/fs/cgroup/unified/user.slice");
  assertEquals(find("memory", V2), undefined);
  assertEquals(find("", V2), "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope");
  assertEquals(find("memory", CONTAINER), "/sys/fs/cgroup/memory/inner");
  assertEquals(find("", NAMESPACE), "/sys/fs/cgroup/");
  assertEquals(find("memory", { own: "", mounts: "" }), undefined);
});
