import { operate } from '@settler/chassis/operate';

await operate('jobs');
