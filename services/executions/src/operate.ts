import { operate } from '@settler/chassis/operate';
import { verifyCertificate } from './infrastructure/postgres/reports/verify-certificate.ts';

await operate('executions', [verifyCertificate]);
