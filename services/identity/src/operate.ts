import { operate } from '@settler/chassis/operate';
import { reEncrypt } from '@settler/chassis/re-encrypt';
import { listSigningKeys, rotateSigningKeys, withdrawSigningKeys } from './infrastructure/postgres/signing-key-operations.ts';

await operate('identity', [
  listSigningKeys,
  rotateSigningKeys,
  withdrawSigningKeys,
  reEncrypt([
    { table: 'signing_keys', column: 'sealed_private_key' },
    { table: 'mails', column: 'sealed_body' },
    { table: 'totp_secrets', column: 'sealed_secret' },
  ]),
]);
