import { operate } from '@settler/chassis/operate';
import { config } from './config.ts';

await operate('webhooks', config);
