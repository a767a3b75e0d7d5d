import { operate } from '@settler/chassis/operate';
import { reEncrypt } from '@settler/chassis/re-encrypt';

await operate('webhooks', [reEncrypt([{ table: 'endpoints', column: 'secret', organizationColumn: 'organization_id' }])]);
