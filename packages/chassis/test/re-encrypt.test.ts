import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { EncryptionKey } from '../src/config.ts';
import { reEncrypt } from '../src/re-encrypt.ts';
import { createSecretBox, keyIdOf, placeOf } from '../src/secret-box.ts';
import { databaseForTests } from './island-parts.ts';

const organizationId = 'org_01jd0000000000000000000000';
const keyOf = (id: string): EncryptionKey => ({ id, key: randomBytes(32) });
const [old, lost, fresh] = [keyOf('old'), keyOf('lost'), keyOf('fresh')];
const place = (id: string) => placeOf(organizationId, 'endpoints', 'secret', id);

describe('secrets at rest', () => {
  const server = databaseForTests();

  const keep = (id: string, secret: string, key: EncryptionKey) =>
    sql`insert into endpoints (id, organization_id, url, events, status, secret, created_at, updated_at)
        values (${id}, ${organizationId}, 'https://example.com', '{*}', 'active', ${createSecretBox([key]).seal(secret, place(id))}, now(), now())`.execute(
      server.postgres.systemDb,
    );
  const kept = async (): Promise<Map<string, string>> => {
    const { rows } = await sql<{ id: string; secret: string }>`select id, secret from endpoints`.execute(server.postgres.systemDb);
    return new Map(rows.map(({ id, secret }) => [id, secret]));
  };
  const run = async (keys: readonly EncryptionKey[]): Promise<string> => {
    const lines: string[] = [];
    const { run: operate } = reEncrypt([{ table: 'endpoints', column: 'secret', organizationColumn: 'organization_id' }]);
    await operate({ postgres: server.postgres, print: (line) => lines.push(line), encryptionKeys: () => keys }, {});
    return lines.join('\n');
  };

  test('open under the first key alone once they were encrypted anew, however many there are', async () => {
    for (let index = 0; index < 1_201; index += 1)
      await keep(`whk_${String(index).padStart(5, '0')}`, `secret ${index}`, index === 7 ? fresh : old);
    expect(await run([fresh, old])).toBe('endpoints.secret: 1200 encrypted anew, the others were under the key fresh already.');
    const box = createSecretBox([fresh]);
    for (const [id, sealed] of await kept()) expect(box.open(sealed, place(id))).toBe(`secret ${Number(id.slice(4))}`);
    expect(await run([fresh, old])).toBe('endpoints.secret: 0 encrypted anew, the others were under the key fresh already.');
  });

  test('stay as they are where their key is not there, which is said, and do not keep the others from it', async () => {
    await keep('whk_lost', 'nobody knows', lost);
    await keep('whk_zzz', 'somebody does', old);
    const before = (await kept()).get('whk_lost');
    await expect(run([fresh, old])).rejects.toThrow('1 could not be encrypted anew');
    const after = await kept();
    expect(after.get('whk_lost')).toBe(before);
    expect(keyIdOf(after.get('whk_zzz') ?? '')).toBe('fresh');
  });
});
