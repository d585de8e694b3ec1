// `--profile`: shows where a command spent its time, on the terminal and as a page.

import { join } from "@std/path/join";
import { profileView } from "../show/mod.ts";
import { type Device, startProfile } from "../tensor/mod.ts";
import { writeFileBeside } from "../write_beside.ts";

/**
 * Profiles a computation.
 *
 * @param device The device that computes.
 * @param folder Where `profile.html` and `profile.json` go.
 * @param compute The computation; an error that it throws is rethrown after the profile is written.
 * @returns Its result.
 */
export async function withProfile<T>(
  device: Device,
  folder: string,
  compute: () => Promise<T>,
): Promise<T> {
  const running = await startProfile(device);
  try {
    return await compute();
  } finally {
    const profile = await running.stop();
    const view = profileView(profile);
    console.error(`\n${view.text}`);
    await writeText(join(folder, "profile.json"), `${JSON.stringify(profile, null, 2)}\n`);
    await writeText(
      join(folder, "profile.html"),
      `<!doctype html>\n<meta charset="utf-8">\n<title>Profile</title>\n${view.html}\n`,
    );
    console.error(`Saved "${join(folder, "profile.html")}"`);
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await writeFileBeside(path, text);
}
