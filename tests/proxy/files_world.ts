/** Worlds with a route of files, and what is asked of them. */
import type { FilesAction } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { filesRoute } from "../sim/files_route.ts";
import type { Message } from "../sim/http_text.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

export function withFiles(
  change: Partial<FilesAction>,
  run: (world: World) => void,
  options: WorldOptions = {},
): void {
  simulate({ routes: [filesRoute(change)], ...options }, (world) => {
    // The simulator's day begins in 1970; files are of 2001.
    world.disk.write("/www/index.html", "<h1>hello</h1>\n").write("/www/a.txt", "0123456789")
      .write("/www/docs/index.html", "docs").directory("/www/empty");
    run(world);
  });
}

/** The answers to some requests on one connection. */
export function ask(
  world: World,
  ...requests: readonly (readonly [method: string, path: string, more?: string])[]
): readonly Message[] {
  const client = world.connect();
  for (const [method, path, more] of requests) client.request(method, path, more);
  world.settle();
  assertEquals(client.answers.length, requests.length);
  return client.answers;
}

/** Bytes that tell where they are from. */
export function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => 32 + (at * 7 + (at >> 8)) % 90);
}

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
