import { operate } from '@settler/chassis/operate';
import { verifyCertificate } from './infrastructure/postgres/verify-certificate.ts';

await operate('executions', [verifyCertificate]);
