/** The public API as the demo needs it: through the gateway, like any customer. */

export interface Api {
  readonly send: <Body>(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Body>;
  readonly upload: (name: string, content: string) => Promise<{ readonly id: string }>;
}

const timeoutMs = 30_000;

/** @throws Error with the problem's detail for every answer that is not a success */
export const createApi = (url: string, credentials: Readonly<Record<string, string>> = {}): Api => {
  const call = async (method: string, path: string, headers: Record<string, string>, body: string | undefined) => {
    const response = await fetch(url + path, {
      method,
      headers: { ...credentials, ...headers },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    send: (method, path, body) =>
      call(
        method,
        path,
        body === undefined ? {} : { 'content-type': 'application/json' },
        body === undefined ? undefined : JSON.stringify(body),
      ),
    upload: (name, content) => call('POST', `/v1/files?name=${encodeURIComponent(name)}`, { 'content-type': 'text/csv' }, content),
  };
};
