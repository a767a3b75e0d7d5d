/** The client of load.ts, in a process of its own: `node http/client.ts <options as JSON>` prints one line of JSON. */
import autocannon from 'autocannon';

interface Options {
  readonly url: string;
  readonly seconds: number;
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly rate?: number;
}

const { url, seconds, connections, headers = {}, rate } = JSON.parse(process.argv[2] ?? '') as Options;
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  headers: { ...headers },
  ...(rate === undefined ? {} : { overallRate: rate }),
});
console.log(
  JSON.stringify({
    requests: result['2xx'],
    failures: result.non2xx + result.errors + result.timeouts,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    seconds: result.duration,
  }),
);
