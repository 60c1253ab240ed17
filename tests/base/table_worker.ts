/** A thread that hammers a shared table as told and answers what it found. */
import { run, type TableJob } from "./table_hammer.ts";

const scope = self as unknown as Worker;
scope.onmessage = ({ data }: MessageEvent<TableJob>) => scope.postMessage(run(data));
