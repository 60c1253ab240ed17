/** A thread that loads a pool as told. */
import { Load, type LoadJob } from "./queue_load.ts";

const scope = self as unknown as Worker;
scope.onmessage = async ({ data }: MessageEvent<LoadJob>) => scope.postMessage(await new Load(data).run());
