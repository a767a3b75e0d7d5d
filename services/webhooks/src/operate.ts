import { operate } from '@settler/chassis/operate';
import { reEncrypt } from '@settler/chassis/re-encrypt';

const ofOrganization = { table: 'endpoints', organizationColumn: 'organization_id' };
await operate('webhooks', [
  reEncrypt([
    { ...ofOrganization, column: 'secret' },
    { ...ofOrganization, column: 'sealed_headers' },
  ]),
]);
