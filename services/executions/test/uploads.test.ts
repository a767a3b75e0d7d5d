import { open } from '@settler/harness/raw';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Executions, shareExecutions } from './running-service.ts';

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions();
});
afterAll(async () => {
  await executions?.stop();
});

const filesThere = async () => (await executions.database.query('select id, state from files')).rows;

describe('a form', () => {
  const formOf = (...parts: readonly string[]) =>
    [...parts.map((part) => `--b\r\ncontent-disposition: form-data; ${part}\r\n`), '--b--\r\n'].join('');
  const orders = 'name="file"; filename="orders.csv"\r\n\r\nId\n1';
  const send = (raw: string) =>
    executions.api.post('/v1/files', undefined, { raw, headers: { 'content-type': 'multipart/form-data; boundary=b' } });

  test('with one file may have fields before and behind it', async () => {
    const { status, body } = await send(formOf('name="a"\r\n\r\n1', orders, 'name="b"\r\n\r\n2'));
    expect({ status, body }).toMatchObject({ status: 201, body: { name: 'orders.csv', size: 4 } });
  });

  test.each([
    ['beside each other', formOf(orders, 'name="file"; filename="payments.csv"\r\n\r\nId\n2')],
    ['with much in the first', formOf(`${orders}${'0'.repeat(3_000_000)}`, 'name="more"; filename="payments.csv"\r\n\r\nId\n2')],
    ['with nothing in the second', formOf(orders, 'name="file"; filename="payments.csv"\r\n\r\n')],
  ])('with two files is refused, and neither is kept: %s', async (_what, form) => {
    const before = await filesThere();
    const { body } = await send(form);
    expect(body).toMatchObject({
      status: 400,
      code: 'validation_failed',
      errors: [{ path: 'file', message: 'the form has more than one: upload each by itself' }],
    });
    expect(await filesThere()).toEqual(before);
  });
});

describe('an upload that cannot be taken', () => {
  test.each([
    ['no form at all', 'multipart/form-data', 'x', 'malformed_request'],
    [
      'a form that breaks off',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nid',
      'malformed_request',
    ],
    [
      'a name with NUL',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a\0b"\r\n\r\nid\r\n--b--\r\n',
      'validation_failed',
    ],
  ])('for %s is told so', async (_what, type, raw, code) => {
    const answer = await executions.api.post('/v1/files', undefined, { raw, headers: { 'content-type': type } });
    expect(answer).toMatchObject({ status: 400, body: { code } });
    expect((await executions.api.post('/v1/files?name=a%00b', undefined, { raw: 'x' })).body.errors).toMatchObject([{ path: 'name' }]);
  });

  test.each([
    ['a key that is none', `Idempotency-Key: ${'k'.repeat(256)}`, { status: 400, code: 'validation_failed', path: 'Idempotency-Key' }],
    ['bytes that are packed', 'Content-Encoding: gzip', { status: 415, code: 'unsupported_media_type', path: undefined }],
  ])('is told so before its body has come: %s', async (_what, header, refusal) => {
    const { url, token } = executions.address();
    const connection = await open(url);
    const lines = ['POST /v1/files HTTP/1.1', 'Host: settler', `Authorization: Bearer ${token}`, 'Content-Length: 1000000000', header];
    connection.send([...lines, '', 'the first of many'].join('\r\n'));
    const { status, body } = await connection.answer();
    connection.socket.destroy();
    const { code, errors } = JSON.parse(body);
    expect({ status, code, path: errors?.[0]?.path }).toEqual(refusal);
  });

  test('with a Content-Type that is none is told so, and not that it must be JSON', async () => {
    const { status, body } = await executions.api.post('/v1/files', undefined, { raw: 'Id', headers: { 'content-type': 'weird' } });
    expect({ status, body }).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type', detail: 'The Content-Type is no media type such as text/csv.' },
    });
  });
});
