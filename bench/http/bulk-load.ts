/** What passing on one large body costs a server in memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Received } from './bulk.ts';
import { cores, pinned, type Server } from './servers.ts';

export interface BulkOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  /** Sent with its length, or in chunks that do not tell it; or fetched at `bytesPerSecond`. */
  readonly way: 'length' | 'chunks' | 'slow reader';
  readonly bytesPerSecond: number;
}

export interface BulkResult {
  readonly sent: Received;
  readonly received: Received;
  readonly seconds: number;
}

const mb = 1024 * 1024;
const timeoutMs = 5 * 60_000;
const program = fileURLToPath(new URL('bulk-client.ts', import.meta.url));

export const memoryMb = (pid: number, field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Returns the peak of the server's memory in MB. @throws where what came is not what was sent */
export const bulkLoad = async (server: Server, path: string, wanted: Omit<BulkOptions, 'url'>): Promise<number> => {
  // Linux forgets the peak until now.
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const options = JSON.stringify({ url: `${server.url}${path}`, ...wanted } satisfies BulkOptions);
  const [command, args] = pinned(cores.client, process.execPath, [program, options]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: timeoutMs });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${wanted.way}: the client ended with code ${code}`);
  const { sent, received, seconds } = JSON.parse(output) as BulkResult;
  if (received.bytes !== sent.bytes || received.sha256 !== sent.sha256)
    throw new Error(`${wanted.way}: ${sent.bytes} bytes, ${sent.sha256}, became ${received.bytes}, ${received.sha256}`);
  const peakMb = memoryMb(server.pid, 'VmHWM');
  console.log(
    `${wanted.way.padEnd(20)} ${sent.bytes / mb} MiB, sha256 ${sent.sha256.slice(0, 12)} on both sides, ` +
      `${(sent.bytes / mb / seconds).toFixed(0)} MiB/s, peak ${peakMb.toFixed(0)} MB`,
  );
  return peakMb;
};
