/** The raw numbers: every call of every process. */
import type { Report, Timing } from './sample.ts';

const ms = ({ cpuMs, wallMs }: Timing): string => `${cpuMs.toFixed(1)} (${wallMs.toFixed(1)})`;

export const printReport = (title: string, { samples, values, peakMb }: Report): void => {
  console.log(`${title}: peak ${peakMb.toFixed(0)} MB`);
  for (const [name, { cold, warm }] of Object.entries(samples)) {
    const later = warm.length === 0 ? '' : `  then ${warm.map(ms).join('  ')}`;
    console.log(`  ${name}: ${ms(cold)}${later}`);
  }
  for (const [name, value] of Object.entries(values)) console.log(`  ${name}: ${Number(value.toPrecision(4))}`);
};
