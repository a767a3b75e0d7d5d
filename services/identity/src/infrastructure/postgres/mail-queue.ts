/** Mails wait in the transaction that ordered them, and are claimed for as long as sending one may take. */
import { newId } from '@settler/chassis/ids';
import type { Postgres } from '@settler/chassis/postgres';
import { noOrganization, placeOf, type SecretBox } from '@settler/chassis/secret-box';
import { sql } from 'kysely';
import type { ClaimedMail, MailQueue } from '../../application/ports.ts';
import type { MailOrder } from '../../domain/mail.ts';
import type { Trx } from './sight.ts';
import type { Database } from './tables.ts';

const placeOfMail = (id: string): string => placeOf(noOrganization, 'mails', 'sealed_body', id);

/** Inside somebody's transaction. */
export const orderMail = async (trx: Trx, box: SecretBox, order: MailOrder): Promise<void> => {
  const id = newId('mail');
  await trx
    .insertInto('mails')
    .values({ id, sealed_body: box.seal(JSON.stringify(order), placeOfMail(id)) })
    .execute();
};

interface Row {
  readonly id: string;
  readonly sealed: string;
  readonly attempts: number;
  readonly orderedAt: Date;
}

export const createMailQueue = (postgres: Postgres<Database>, box: SecretBox, leaseMs: number): MailQueue => {
  const later = (ms: number) => sql<Date>`now() + make_interval(secs => ${ms / 1000}::float8)`;
  // The number of the attempt says whose claim it is.
  const claimed = ({ id, attempts }: ClaimedMail) =>
    postgres.systemDb.updateTable('mails').where('id', '=', id).where('attempts', '=', attempts).where('status', '=', 'waiting');
  return {
    claim: async (count) => {
      const { rows } = await sql<Row>`
        update mails set attempts = attempts + 1, next_attempt_at = ${later(leaseMs)}
         where id in (select id from mails where status = 'waiting' and next_attempt_at <= now()
                       order by next_attempt_at limit ${count} for update skip locked)
        returning id, sealed_body as sealed, attempts, created_at as "orderedAt"`.execute(postgres.systemDb);
      return rows.map(({ sealed, ...row }) => ({ ...row, order: () => JSON.parse(box.open(sealed, placeOfMail(row.id))) as MailOrder }));
    },
    end: async (mail, status) => {
      await claimed(mail).set({ status, sealed_body: null, ended_at: sql<Date>`now()` }).execute();
    },
    putOff: async (mail, delayMs) => {
      await claimed(mail)
        .set({ next_attempt_at: later(delayMs) })
        .execute();
    },
  };
};
