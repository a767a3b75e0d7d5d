/** The client of load.ts, in a process of its own: `node http/client.ts <options as JSON>` prints one line of JSON. */
import autocannon from 'autocannon';
import type { ClientOptions } from './load.ts';

const { url, seconds, connections, headers = {}, rate, requests } = JSON.parse(process.argv[2] ?? '') as ClientOptions;
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  headers: { ...headers },
  ...(rate === undefined ? {} : { overallRate: rate }),
  ...(requests === undefined ? {} : { requests }),
});
console.log(
  JSON.stringify({
    requests: result['2xx'],
    failures: result.non2xx + result.errors + result.timeouts,
    p50Ms: result.latency.p50,
    p97Ms: result.latency.p97_5,
    p99Ms: result.latency.p99,
    seconds: result.duration,
  }),
);
