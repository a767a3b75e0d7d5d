import { operate } from '@settler/chassis/operate';
import { reEncrypt } from '@settler/chassis/re-encrypt';
import { removeSecondFactor } from './infrastructure/postgres/accounts/second-factor-operations.ts';
import { listSigningKeys, rotateSigningKeys, withdrawSigningKeys } from './infrastructure/postgres/credentials/signing-key-operations.ts';

await operate('identity', [
  listSigningKeys,
  rotateSigningKeys,
  withdrawSigningKeys,
  removeSecondFactor,
  reEncrypt([
    { table: 'signing_keys', column: 'sealed_private_key' },
    { table: 'mails', column: 'sealed_body' },
    { table: 'totp_secrets', column: 'sealed_secret' },
  ]),
]);
