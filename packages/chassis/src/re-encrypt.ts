/** Sealing secrets anew under the first key, so that an older one can be taken away. The system goes on meanwhile. */
import { sql } from 'kysely';
import type { Operation } from './operation.ts';
import { createSecretBox, keyIdOf, noOrganization, placeOf, type SealedColumn } from './secret-box.ts';

const batchRows = 500;

interface Row {
  readonly id: string;
  readonly organization: string;
  readonly sealed: string;
}

export const reEncrypt = (columns: readonly SealedColumn[]): Operation => ({
  command: 'secrets re-encrypt',
  does: 'Encrypts every secret anew under the first key of ENCRYPTION_KEY. Those that stand behind it are needed no longer afterwards.',
  options: {},
  run: async ({ postgres, print, encryptionKeys }) => {
    const keys = encryptionKeys();
    const box = createSecretBox(keys);
    const current = keys[0]?.id ?? '';
    let failed = 0;
    for (const { table, column, organizationColumn } of columns) {
      const organization = organizationColumn === undefined ? sql`${noOrganization}::text` : sql.ref(organizationColumn);
      let done = 0;
      let after = '';
      for (;;) {
        const { rows } = await sql<Row>`
          select id, ${organization} as organization, ${sql.ref(column)} as sealed from ${sql.table(table)}
           where id > ${after} and split_part(${sql.ref(column)}, '.', 1) <> ${current}
           order by id limit ${batchRows}`.execute(postgres.systemDb);
        for (const row of rows) {
          const place = placeOf(row.organization, table, column, row.id);
          try {
            const anew = box.seal(box.open(row.sealed, place), place);
            // Only where it is still what was read: whoever has changed it since has sealed it under the first key.
            const { numAffectedRows = 0n } = await sql`
              update ${sql.table(table)} set ${sql.ref(column)} = ${anew}
               where id = ${row.id} and ${sql.ref(column)} = ${row.sealed}`.execute(postgres.systemDb);
            done += Number(numAffectedRows);
          } catch (error) {
            failed += 1;
            print(`${table}.${column} of ${row.id} stays under the key ${keyIdOf(row.sealed)}: ${(error as Error).message}`);
          }
        }
        const last = rows.at(-1);
        if (last === undefined) break;
        after = last.id;
      }
      print(`${table}.${column}: ${done} encrypted anew, the others were under the key ${current} already.`);
    }
    if (failed > 0) throw new Error(`${failed} could not be encrypted anew; keep the keys that they are under.`);
  },
});
