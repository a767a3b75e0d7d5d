/** The client of load.ts, in a process of its own: `node http/client.ts <options as JSON>` prints one line of JSON. */
import autocannon from 'autocannon';
import type { ClientOptions } from './load.ts';

const { url, seconds, connections, headers = {}, rate, requests } = JSON.parse(process.argv[2] ?? '') as ClientOptions;
const times: number[] = [];
let clients = 0;
const running = autocannon({
  url,
  connections,
  duration: seconds,
  headers: { ...headers },
  ...(rate === undefined ? {} : { overallRate: rate }),
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
// The library knows no 95th percentile.
running.on('response', (_client, _status, _bytes, ms) => times.push(ms));
const result = await running;
times.sort((one, other) => one - other);
console.log(
  JSON.stringify({
    requests: result['2xx'],
    failures: result.non2xx + result.errors + result.timeouts,
    p50Ms: result.latency.p50,
    p95Ms: times[Math.ceil(times.length * 0.95) - 1],
    p99Ms: result.latency.p99,
    seconds: result.duration,
  }),
);
