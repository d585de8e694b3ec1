// Stable names for students that say nothing about them.

import { createHmac } from "node:crypto";

const COLORS =
  "amber azure coral copper crimson golden green grey indigo ivory lilac olive orange russet scarlet silver teal violet white yellow"
    .split(" ");
const BIRDS =
  "avocet bunting crane curlew dipper dove dunlin eider falcon finch gannet goldcrest grebe grouse gull harrier heron hoopoe jay kestrel kite lapwing lark linnet magpie martin merlin nightjar oriole osprey ouzel owl petrel pipit plover puffin quail raven redstart robin rook ruff sandpiper serin shrike siskin skua snipe sparrow starling stork swallow swan swift teal tern thrush tit wagtail warbler wheatear whimbrel woodcock wren"
    .split(" ");

/**
 * Hashes a name so that only the course's secret leads back.
 *
 * @param secret The secret.
 * @param purpose What the hash is for; hashes for different purposes have nothing in common.
 * @param name The name.
 * @returns 32 hexadecimal digits.
 */
export function keyedHash(secret: string, purpose: string, name: string): string {
  return createHmac("sha256", secret).update(`${purpose}\0${name}`).digest("hex").slice(0, 32);
}

/**
 * Names students, in every question alike.
 *
 * @param secret The course's secret.
 * @param student The student's id.
 * @returns Such as "Amber heron 4071".
 */
export function pseudonym(secret: string, student: string): string {
  const hash = keyedHash(secret, "pseudonym", student);
  const part = (from: number) => Number.parseInt(hash.slice(from, from + 8), 16);
  const color = COLORS[part(0) % COLORS.length]!;
  const number = String(part(16) % 10_000).padStart(4, "0");
  return `${color[0]!.toUpperCase()}${color.slice(1)} ${BIRDS[part(8) % BIRDS.length]} ${number}`;
}
