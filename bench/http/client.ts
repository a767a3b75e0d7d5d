/** The client of load.ts, in a process of its own: `node http/client.ts <options as JSON>` prints one line of JSON. */
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { ClientOptions } from './load.ts';

const { url, seconds, connections, headers = {}, rate, isPaced = false, requests } = JSON.parse(process.argv[2] ?? '') as ClientOptions;
const times: number[] = [];
/** A hundred calls that begin, and end, keep this process so busy that it is late for its answers; of the few requests of those that are paced that is many. */
const leftOut = { firstMs: 2_000, lastMs: 1_000 };
const startedAt = performance.now();
const isCounted = (): boolean => {
  const ms = performance.now() - startedAt;
  return !isPaced || (ms >= leftOut.firstMs && ms <= seconds * 1_000 - leftOut.lastMs);
};
let clients = 0;
const ask = (connections: number, perSecond: number | undefined) => {
  const running = autocannon({
    url,
    connections,
    duration: seconds,
    headers: { ...headers },
    ...(perSecond === undefined ? {} : { overallRate: perSecond }),
    ...(requests === undefined
      ? {}
      : {
          requests,
          // Each begins with another one: people who ask at once do not ask the same.
          setupClient: (client) => {
            const first = clients % requests.length;
            clients += 1;
            client.setRequests([...requests.slice(first), ...requests.slice(0, first)]);
          },
        }),
  });
  // The library knows no 95th percentile, and none of several calls.
  running.on('response', (_client, _status, _bytes, ms) => {
    if (isCounted()) times.push(ms);
  });
  return running;
};
// All connections of one call ask at the same moment of each second.
const groups = isPaced ? connections : 1;
const results = await Promise.all(
  Array.from({ length: groups }, async (_, group) => {
    await delay((group * 1_000) / groups);
    return ask(connections / groups, isPaced ? 1 : rate);
  }),
);
times.sort((one, other) => one - other);
const sum = (of: (result: (typeof results)[number]) => number): number => results.reduce((total, result) => total + of(result), 0);
const at = (share: number): number | undefined => times[Math.ceil(times.length * share) - 1];
console.log(
  JSON.stringify({
    requests: sum((result) => result['2xx']),
    failures: sum((result) => result.non2xx + result.errors + result.timeouts),
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    seconds: results[0]?.duration,
  }),
);
