import { routes } from '@settler/contracts/routes';
import { createIsland, type Island, type System, startSystem } from '@settler/harness';
import { afterAll, beforeAll, expect, test } from 'vitest';

let island: Island;
let system: System;
beforeAll(async () => {
  island = await createIsland();
  system = await startSystem(island);
});
afterAll(async () => {
  await island.dispose();
});

test('the reference lists every route of the contract, with who may use it', async () => {
  const document = (await (await fetch(`${system.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string; security: unknown[] }>>;
  };
  const listed = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(listed.sort()).toEqual(Object.keys(routes).sort());
  expect(document.paths['/v1/auth/login']?.['post']?.security).toEqual([]);
  expect(document.paths['/v1/jobs']?.['get']).toMatchObject({ 'x-required-scope': 'jobs:read' });
});

test('the readable reference loads nothing from anywhere else', async () => {
  const page = await fetch(`${system.url}/docs/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("connect-src 'self'");
  const sources = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source);
  expect(sources.filter((source) => /^(https?:)?\/\//.test(source))).toEqual([]);
});
