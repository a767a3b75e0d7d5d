import { describe, expect, test } from 'vitest';
import { type Route, routes, routesAt } from '../src/routes.ts';

const all = Object.entries(routes) as [string, Route][];

describe('the table of routes', () => {
  test('no two routes have the same method and path', () => {
    const keys = all.map(([, route]) => `${route.method} ${route.path}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('every POST and PATCH honours an Idempotency-Key, and nothing else does', () => {
    for (const [, route] of all) expect(route.idempotent).toBe(route.method === 'POST' || route.method === 'PATCH');
  });

  test('a concrete path finds its routes by method, and a foreign one finds none', () => {
    expect([...routesAt('/v1/jobs').keys()].sort()).toEqual(['GET', 'POST']);
    expect(routesAt('/v1/jobs/job_1/versions/3').get('GET')?.[0]).toBe('readJobVersion');
    expect([...routesAt('/v1/invitations/accept').keys()]).toEqual(['POST']);
    expect(routesAt('/v1/jobs/a/b/c').size).toBe(0);
    expect(routesAt('/internal/revocations').size).toBe(0);
    expect(routesAt('/Xwell-known/jwks.json').size).toBe(0);
  });
});
