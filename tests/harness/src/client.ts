/** HTTP as a customer's program speaks it. */
export interface Credentials {
  /** An access token; or an internal token where a service is called without the gateway, made anew for each request: it lives for a minute. */
  readonly token?: string | (() => string);
  readonly apiKey?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where the answer is JSON, else its text; undefined when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes, and each asserts the one it expects.
  readonly body: any;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is: malformed JSON, a form, bytes. */
  readonly raw?: NonNullable<RequestInit['body']>;
  readonly timeoutMs?: number;
}

export interface Client {
  readonly get: (path: string, options?: RequestOptions) => Promise<Answer>;
  readonly post: (path: string, body?: unknown, options?: RequestOptions) => Promise<Answer>;
  readonly put: (path: string, body?: unknown, options?: RequestOptions) => Promise<Answer>;
  readonly patch: (path: string, body?: unknown, options?: RequestOptions) => Promise<Answer>;
  readonly delete: (path: string, options?: RequestOptions) => Promise<Answer>;
  /** The same address with other credentials. */
  readonly as: (credentials: Credentials) => Client;
}

const timeoutMsDefault = 30_000;

export const client = (url: string, credentials: Credentials = {}): Client => {
  const send = async (method: string, path: string, body: unknown, options: RequestOptions = {}): Promise<Answer> => {
    const payload = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: { ...headersOf(credentials), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
      signal: AbortSignal.timeout(options.timeoutMs ?? timeoutMsDefault),
      // A body that is still being made is sent while its answer may already come.
      ...(payload === undefined ? {} : { body: payload, ...(payload instanceof ReadableStream ? { duplex: 'half' as const } : {}) }),
    });
    return { status: response.status, headers: response.headers, body: parse(response, await response.text()) };
  };
  return {
    get: (path, options) => send('GET', path, undefined, options),
    post: (path, body, options) => send('POST', path, body, options),
    put: (path, body, options) => send('PUT', path, body, options),
    patch: (path, body, options) => send('PATCH', path, body, options),
    delete: (path, options) => send('DELETE', path, undefined, options),
    as: (other) => client(url, other),
  };
};

const headersOf = ({ token, apiKey }: Credentials): Record<string, string> => ({
  ...(token === undefined ? {} : { authorization: `Bearer ${typeof token === 'string' ? token : token()}` }),
  ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
});

const parse = (response: Response, text: string): unknown => {
  if (text === '') return undefined;
  return /\bjson\b/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text;
};
