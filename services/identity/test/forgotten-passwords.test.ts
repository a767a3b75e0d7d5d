import { createServer, type Server } from 'node:net';
import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, type Identity, password, startIdentity } from './setup.ts';

/** A mail server that takes everything, but refuses the first attempt at each recipient whose address says so. */
const startMailServer = async () => {
  const mails: { to: string; text: string }[] = [];
  const refused = new Set<string>();
  const server: Server = createServer((socket) => {
    let to = '';
    let data: string | undefined;
    let rest = '';
    const answer = (line: string) => socket.write(`${line}\r\n`);
    const take = (line: string) => {
      if (data !== undefined) {
        if (line !== '.') {
          data += `${line}\n`;
          return;
        }
        mails.push({ to, text: data });
        data = undefined;
        answer('250 taken');
      } else if (/^RCPT/i.test(line)) {
        to = /<(.*)>/.exec(line)?.[1] ?? '';
        const isRefused = to.startsWith('later') && !refused.has(to);
        refused.add(to);
        answer(isRefused ? '451 not now' : '250 yes');
      } else if (/^DATA/i.test(line)) {
        data = '';
        answer('354 go on');
      } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
      else answer('250 yes');
    };
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
    answer('220 ready');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return { mails, url: `smtp://127.0.0.1:${address.port}`, close: () => server.close() };
};

describe('a forgotten password', () => {
  let identity: Identity;
  let mailServer: Awaited<ReturnType<typeof startMailServer>>;
  const next = 'another password of several words';

  beforeAll(async () => {
    mailServer = await startMailServer();
    identity = await startIdentity({ SMTP_URL: mailServer.url, MAIL_RETRY_MS: '10' });
  });
  afterAll(async () => {
    await identity.dispose();
    mailServer.close();
  });

  const forget = (email: string) => identity.anonymous().post('/v1/auth/password/forgot', { email });
  const reset = (token: string, secret = next) => identity.anonymous().post('/v1/auth/password/reset', { token, password: secret });
  const logIn = (email: string, secret: string) => identity.anonymous().post('/v1/auth/login', { email, password: secret });
  const tokensTo = (email: string): string[] =>
    mailServer.mails.filter(({ to }) => to === email).map(({ text }) => /^token=(\S+)$/m.exec(text)?.[1] ?? '');
  const tokenTo = (email: string): Promise<string> => waitFor(async () => tokensTo(email).at(-1), { what: 'the mail' });

  test('is replaced with the token of a mail, once, and every session ends', async () => {
    const person = await identity.register();
    expect((await forget(person.email)).status).toBe(202);
    const token = await tokenTo(person.email);
    expect(token.length).toBeGreaterThan(40);
    expect((await reset(token, 'short')).body.errors).toMatchObject([{ path: 'password' }]);
    expect((await reset(token)).status).toBe(204);
    expect((await logIn(person.email, password)).status).toBe(401);
    expect((await logIn(person.email, next)).status).toBe(200);
    expect((await identity.anonymous().post('/v1/auth/refresh', { refreshToken: person.refreshToken })).status).toBe(401);
    const { body } = await identity.gateway.get('/internal/revocations?after=0');
    expect(body.revoked).toContainEqual({ kind: 'session', id: claimsOf(person.accessToken)['sid'] });
    expect(await reset(token)).toMatchObject({ status: 400, body: { errors: [{ path: 'token' }] } });
    const said = await identity.rows('select body from outbox union all select body from outbox_sent');
    const entries = said.map(({ body: text }) => JSON.parse(text).data).filter(({ action }) => action === 'user.password_reset');
    expect(entries).toMatchObject([{ resource: { type: 'user', id: person.userId } }]);
    expect(JSON.stringify(said)).not.toContain(token);
  });

  test('of nobody is answered the same, ordered the same, and sent to nobody', async () => {
    const person = await identity.register();
    const [ours, nobodys] = [await forget(person.email), await forget('nobody@example.com')];
    expect([nobodys.status, nobodys.body]).toEqual([ours.status, ours.body]);
    await tokenTo(person.email);
    await waitFor(async () => (await identity.rows("select 1 from mails where status = 'dropped'")).length === 1, {
      what: 'the end of the order',
    });
    expect(tokensTo('nobody@example.com')).toEqual([]);
    // What has ended is nobody's personal data any more.
    expect(await identity.rows("select 1 from mails where status <> 'waiting' and sealed_body is not null")).toEqual([]);
  });

  test('mails that the server did not take are sent again', async () => {
    const email = 'later@example.com';
    await identity.register({ email });
    await forget(email);
    expect((await reset(await tokenTo(email))).status).toBe(204);
    await waitFor(async () => (await identity.rows('select 1 from mails where attempts = 2')).length === 1, { what: 'the second attempt' });
  });

  test('mails that do not open hold up no others, and are given up in the end', async () => {
    const admin = await identity.database('admin');
    const { email } = await identity.register();
    // Both are claimed together, when they are due.
    await admin.query("alter table mails alter column next_attempt_at set default now() + interval '1 hour'");
    await forget(email);
    await forget('nobody@example.com');
    const [{ id }] = await identity.rows('select id from mails order by created_at desc limit 1');
    await admin.query('alter table mails alter column next_attempt_at set default now()');
    await admin.query("update mails set sealed_body = 'gone' || substr(sealed_body, strpos(sealed_body, '.')) where id = $1", [id]);
    await admin.query("update mails set next_attempt_at = now() where status = 'waiting'");
    expect(await tokenTo(email)).not.toBe('');
    const waiting = async () => (await identity.rows('select status, attempts from mails where id = $1', [id]))[0];
    await waitFor(async () => (await waiting()).attempts > 1, { what: 'it to be tried again' });
    // Up to thirty times, at last an hour apart.
    await admin.query('update mails set attempts = 29, next_attempt_at = now() where id = $1', [id]);
    await waitFor(async () => (await waiting()).status === 'failed', { what: 'it to be given up', timeoutMs: 10_000 });
    expect(identity.service.logs().some((line) => line.includes('does not open') && line.includes(id))).toBe(true);
  });

  test('only hashes of tokens are kept, and using the newer one ends the older one', async () => {
    const person = await identity.register();
    await forget(person.email);
    const first = await tokenTo(person.email);
    const kept = await identity.rows('select token_hash from password_resets where user_id = $1', [person.userId]);
    expect(kept.map(({ token_hash: hash }) => hash.toString())).not.toContain(first);
    await forget(person.email);
    const second = await waitFor(async () => tokensTo(person.email)[1], { what: 'the second mail' });
    expect((await reset(second)).status).toBe(204);
    expect((await reset(first, 'a third password of some words')).status).toBe(400);
  });

  test('of tokens that are used at once one counts', async () => {
    const person = await identity.register();
    for (let count = 0; count < 5; count += 1) expect((await forget(person.email)).status).toBe(202);
    const tokens = await waitFor(async () => (tokensTo(person.email).length === 5 ? tokensTo(person.email) : undefined), {
      what: 'the mails',
    });
    const answers = await Promise.all(tokens.map((token) => reset(token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400, 400, 400, 400]);
  });

  test('a token ends when the password is changed, and a mail that was ordered before is not sent', async () => {
    const person = await identity.register();
    await forget(person.email);
    const token = await tokenTo(person.email);
    const changed = await person.api.post('/v1/me/password', { currentPassword: password, newPassword: next });
    expect(changed.status).toBe(204);
    expect((await reset(token, 'a third password of some words')).status).toBe(400);
    expect((await logIn(person.email, next)).status).toBe(200);

    // As if the mail had been waiting all the time.
    await identity.rows("update users set password_changed_at = now() + interval '1 minute' where id = $1", [person.userId]);
    await forget(person.email);
    await waitFor(async () => (await identity.rows("select 1 from mails where status = 'waiting'")).length === 0, {
      what: 'the mail to be looked at',
    });
    expect(tokensTo(person.email)).toEqual([token]);
  });

  test('a token ends after an hour', async () => {
    const person = await identity.register();
    await forget(person.email);
    const token = await tokenTo(person.email);
    await identity.rows("update password_resets set expires_at = now() - interval '1 second' where user_id = $1", [person.userId]);
    expect((await reset(token)).status).toBe(400);
  });

  test('nobody’s mailbox is filled, whether there is one or not', async () => {
    const person = await identity.register();
    for (const email of [person.email, 'nobody-at-all@example.com']) {
      for (let count = 0; count < 10; count += 1) expect((await forget(email)).status).toBe(202);
      expect((await forget(email)).status).toBe(429);
    }
    expect((await logIn(person.email, password)).status).toBe(200);
  });
});
